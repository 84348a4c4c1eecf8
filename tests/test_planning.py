"""Which networks are chosen, and what the model version depends on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import skimage
from PIL import Image as Pillow

from ris.config import Settings
from ris.errors import SettingsError
from ris.planning import (
    ALGORITHM_REVISION,
    advise_preset,
    compute_model_version,
    get_models_folder,
    make_plan,
    settle_precision,
)
from ris.pretrained import linear_speed
from ris.pretrained.catalog.presets import BASE, PRESETS, TINY
from ris.pretrained.catalog.sources import Source
from ris.pretrained.catalog.weights import write_manifest
from ris.tinyworld.samples import make_samples

ONE, OTHER = (Source(name, "spacy", folder=Path("/data") / name) for name in ("one", "other"))


def test_the_version_is_that_of_the_preset_and_stays():
    assert compute_model_version(TINY, "weights") == compute_model_version(TINY, "weights")
    assert compute_model_version(TINY, "weights").startswith("tiny-")


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
@pytest.mark.parametrize("changed", [{"rectifier": "plain words"}, {"synonyms": "released"}], ids=str)
def test_another_rule_is_another_version(preset, changed):
    other = replace(preset, lgd=replace(preset.lgd, **changed))

    assert (compute_model_version(other, "weights") == compute_model_version(preset, "weights")) == (
        other == preset
    )


def test_which_method_reads_with_which_parser_is_a_part_of_the_version():
    """The same files are there in each case, so their digest says nothing of it."""
    presets = [
        replace(TINY, global_local_parser=ONE, lgd_parser=OTHER),
        replace(TINY, global_local_parser=OTHER, lgd_parser=ONE),
        replace(TINY, global_local_parser=ONE, iterprime_parser=OTHER),
        replace(TINY, parser=ONE, lgd_parser=OTHER),
    ]

    assert len({compute_model_version(preset, "weights") for preset in presets}) == 4


@pytest.mark.parametrize(
    "changed",
    [
        {"summary": "other words"},
        {"threads": 7},
        {"ranking": replace(TINY.ranking, alternatives=7)},
        {"ranking": replace(TINY.ranking, prechosen_from=0.9)},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_what_changes_no_mask_and_no_score_changes_no_version(changed):
    assert compute_model_version(replace(TINY, **changed), "weights") == compute_model_version(
        TINY, "weights"
    )


def test_a_release_changes_no_version(monkeypatch):
    before = make_plan(Settings()).version
    monkeypatch.setattr("ris.__version__", "99.0.0")

    assert make_plan(Settings()).version == before


def test_other_weights_another_describer_and_another_revision_change_the_version(monkeypatch):
    versions = [
        compute_model_version(TINY, "weights"),
        compute_model_version(TINY, "other weights"),
        compute_model_version(TINY, "weights", "a describer"),
        compute_model_version(replace(TINY, ranking=replace(TINY.ranking, part_discount=0.5)), "weights"),
    ]
    monkeypatch.setattr("ris.planning.ALGORITHM_REVISION", ALGORITHM_REVISION + 1)
    versions.append(compute_model_version(TINY, "weights"))

    assert len(set(versions)) == 5


def test_a_describer_with_an_address_needs_a_model_too():
    with pytest.raises(SettingsError, match="RIS_DESCRIBER_MODEL is not"):
        make_plan(Settings(describer_url="http://localhost:8000/v1"))


def test_another_describer_is_asked_in_the_words_of_lgds_authors():
    own, named = make_plan(Settings()), make_plan(Settings(describer_model="someone/model"))

    assert (own.describer, named.describer) == ("embedded", "someone/model")
    assert own.preset.lgd.attribute_prompt == "[ATT] {} :"
    assert named.preset.lgd.attribute_prompt.startswith("Given a image")
    assert named.version != own.version


def test_the_models_folder_of_the_settings_may_name_the_home_folder(monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")

    assert get_models_folder(Settings(models_folder="~/models")) == Path("/home/someone/models")


PHOTOGRAPH = np.asarray(
    Pillow.open(Path(skimage.__file__).parent / "data" / "coffee.png").convert("RGB"), np.uint8
)


def advise(pictures, **settings):
    return advise_preset(Settings(_env_file=None, **settings), pictures)


def test_photographs_and_toy_networks_do_not_go_together(tmp_path, monkeypatch):
    monkeypatch.setattr("ris.planning.measure_product_rate", lambda: 0.1)

    assert advise([PHOTOGRAPH], models_folder=tmp_path) == (
        "these pictures look like photographs, and the networks of preset 'tiny' are toys, which know drawn "
        "scenes only: set RIS_PRESET=classical, which has no network: position, size, order and colour only; "
        "or run `ris models fetch base` and set RIS_PRESET=base: 6.1 GB to download, 6.1 GB of memory for "
        "weights, and about 29 s an image on this machine's CPU, estimated by a self-test under its "
        "present load, without the describer"
    )


def test_no_preset_is_advised_for_drawn_scenes_or_without_toy_networks(tmp_path):
    drawn = [sample.pixels for sample in make_samples(3)]

    assert advise(drawn, models_folder=tmp_path) == advise([], models_folder=tmp_path) == ""
    assert advise([PHOTOGRAPH], preset="classical") == advise([PHOTOGRAPH], preset="base") == ""


def test_networks_that_are_on_the_machine_are_advised_before_none(tmp_path):
    for source in BASE.sources:
        (tmp_path / source.name).mkdir()
        (tmp_path / source.name / "weights").write_bytes(b"x")
        write_manifest(tmp_path / source.name)

    assert "set RIS_PRESET=base, whose networks are on this machine" in advise(
        [PHOTOGRAPH], models_folder=tmp_path
    )


def test_a_vision_language_model_needs_an_address_and_a_name():
    with pytest.raises(SettingsError, match="RIS_VLM_URL is set but RIS_VLM_MODEL is not"):
        make_plan(Settings(vlm_url="http://localhost:8000/v1"))
    with pytest.raises(SettingsError, match="RIS_VLM_MODEL is set but RIS_VLM_URL is not"):
        make_plan(Settings(vlm_model="m"))


def test_the_vision_language_model_describes_unless_a_describer_is_named():
    vlm = {"vlm_url": "http://v/v1", "vlm_model": "v", "vlm_key": "sesame"}

    assert make_plan(Settings(**vlm)).describer == "v at http://v/v1"
    assert make_plan(Settings(**vlm)).describer_key.get_secret_value() == "sesame"
    named = make_plan(Settings(**vlm, describer_url="http://d/v1", describer_model="d"))
    assert (named.describer, named.describer_key) == ("d at http://d/v1", None)
    assert make_plan(Settings(**vlm, preset="classical")).describer == "none"


@pytest.mark.parametrize(("gain", "chosen"), [(0.5, "fp32"), (2.0, "bf16")])
def test_the_precision_auto_makes_the_version_of_what_it_chose(monkeypatch, tmp_path, gain, chosen):
    monkeypatch.setattr(linear_speed, "measure_bf16_gain", lambda device: gain)
    monkeypatch.setattr("ris.pretrained.precision.read_cpu_flags", lambda: {"amx_bf16"})
    settings = Settings(_env_file=None, models_folder=tmp_path, precision="auto")

    plan = make_plan(settings)

    assert plan.precision == chosen
    assert plan.arithmetic == f"{chosen} on cpu, chosen by a measurement"
    assert plan.version == make_plan(settings.model_copy(update={"precision": chosen})).version
    assert settle_precision(settings).precision == chosen  # what workers on other machines are told

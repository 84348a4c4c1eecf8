from dataclasses import replace
from pathlib import Path

import pytest

from ris.errors import SettingsError
from ris.pretrained.catalog.presets import BASE, PRESETS, TINY
from ris.pretrained.catalog.sources import HubFiles, Source
from ris.pretrained.catalog.user_presets import read_presets


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "presets.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_preset_of_ones_own_is_another_one_with_some_things_changed(written):
    path = written("""
        [mine]
        based_on = "base"
        summary = "our CLIP, tuned on shop windows"
        proposals = { points_per_side = 32 }
        global_local = { view_weight = 0.85 }
        ranking = { temperatures = { lgd = 2.0 } }

        [mine.clip]
        name = "shop-clip"
        kind = "clip"
        folder = "/data/shop-clip"
    """)

    mine = read_presets(path)["mine"]

    assert mine == replace(
        BASE,
        name="mine",
        summary="our CLIP, tuned on shop windows",
        proposals=replace(BASE.proposals, points_per_side=32),
        global_local=replace(BASE.global_local, view_weight=0.85),
        ranking=replace(BASE.ranking, temperatures={"lgd": 2.0}),
        clip=Source("shop-clip", "clip", folder=Path("/data/shop-clip")),
    )


def test_a_method_may_read_with_a_parser_of_its_own(written):
    path = written("""
        [mine]
        based_on = "tiny"
        lgd = { rectifier = "plain words" }
        [mine.lgd_parser]
        name = "our-parser"
        kind = "spacy"
        folder = "/data/our-parser"
        [other]
        based_on = "mine"
    """)

    known = read_presets(path)

    ours = Source("our-parser", "spacy", folder=Path("/data/our-parser"))
    assert known["mine"] == replace(
        TINY, name="mine", lgd_parser=ours, lgd=replace(TINY.lgd, rectifier="plain words")
    )
    assert known["other"].own_parsers == {"lgd": ours}
    assert ours in known["other"].sources


def test_a_network_of_the_hub_can_be_named(written):
    path = written("""
        [mine]
        based_on = "tiny"
        [mine.describer]
        name = "small-vl"
        kind = "chat"
        [[mine.describer.parts]]
        repository = "us/small-vl"
        revision = "0123456789012345678901234567890123456789"
        files = ["*.json"]
        weights = ["*.safetensors"]
    """)

    (part,) = read_presets(path)["mine"].describer.parts

    assert part == HubFiles("us/small-vl", "0123456789" * 4, files=("*.json",), weights=("*.safetensors",))


def test_the_training_data_of_a_network_is_under_the_key_saw(written):
    path = written("""
        [mine]
        based_on = "tiny"
        clip = { name = "shop-clip", kind = "clip", folder = "/data/shop-clip", saw = "shop windows" }
    """)

    assert read_presets(path)["mine"].clip.training_data == "shop windows"


def test_the_built_in_presets_stay_and_a_preset_may_be_based_on_another_of_the_same_file(written):
    path = written("""
        [one]
        based_on = "tiny"
        threads = 2
        [two]
        based_on = "one"
        itm_layer = 1
    """)

    known = read_presets(path)

    assert list(known) == [*PRESETS, "one", "two"]
    assert known["two"] == replace(TINY, name="two", threads=2, itm_layer=1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[mine", "cannot be read as TOML"),
        ("[tiny]\nbased_on = 'base'", "'tiny' is the name of a built-in preset; choose another name"),
        ("[mine]\nsummary = 'x'", r"\[mine\] needs based_on, one of tiny, base"),
        ("mine = 3", r"\[mine\] needs based_on"),
        ("[mine]\nbased_on = 'tiny'\nthreds = 2", r"\[mine\]: unknown key 'threds'; it can be name, summary"),
        (
            "[mine]\nbased_on = 'tiny'\nproposals = { points = 2 }",
            r"\[mine\] proposals: unknown key 'points'",
        ),
        ("[mine]\nbased_on = 'tiny'\nproposals = 3", r"\[mine\] proposals must be a table, got 3"),
        ("[mine]\nbased_on = 'tiny'\nitm_layer = 'last'", r"\[mine\] itm_layer: .* got 'last'"),
        (
            "[mine]\nbased_on = 'tiny'\nclip = { name = 'a', kind = 'clap' }",
            r"\[mine\] clip kind: .* got 'clap'",
        ),
        (
            "[mine]\nbased_on = 'tiny'\nclip = { kind = 'clip' }",
            r"\[mine\] clip needs a name, a kind, and a folder",
        ),
        ("[mine]\nbased_on = 'tiny'\nlgd = { rectifier = true }", r"\[mine\] lgd.rectifier: .* got True"),
        ("[mine]\nbased_on = 'tiny'\nlgd_parser = 'x'", r"\[mine\] lgd_parser must be a table, got 'x'"),
        (
            "[mine]\nbased_on = 'tiny'\nclip = { name = 'a', kind = 'clip', saw = 3 }",
            r"\[mine\] clip saw: .* got 3",
        ),
        (
            "[mine]\nbased_on = 'tiny'\nclip = { name = 'a', training_data = 'x' }",
            r"clip: unknown key 'training_data'; it can be .*saw",
        ),
        ("[mine]\nbased_on = 'tiny'\nclip = 'b32'", r"\[mine\] clip must be a table, got 'b32'"),
    ],
)
def test_a_wrong_key_or_value_is_refused_with_its_place(written, text, message):
    with pytest.raises(SettingsError, match=message):
        read_presets(written(text))


def test_a_file_that_is_not_there_names_the_setting(tmp_path):
    with pytest.raises(SettingsError, match=r"RIS_PRESETS_FILE: .*none\.toml cannot be read"):
        read_presets(tmp_path / "none.toml")

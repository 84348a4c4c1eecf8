import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from ris.errors import SettingsError, WeightsError
from ris.pretrained.catalog.presets import CLASSICAL, PRESETS, TINY
from ris.pretrained.catalog.sources import Source
from ris.pretrained.clip.resnet import ClipResNetEncoder
from ris.pretrained.clip.vit import ClipEncoder
from ris.pretrained.language.describer import BlipDescriber
from ris.pretrained.language.parser import SpacyParser
from ris.pretrained.linear_ops import FastLinear
from ris.pretrained.linear_speed import SPEED_FILE
from ris.pretrained.loading import Loader
from ris.pretrained.masks.sam import SamProposer
from ris.pretrained.masks.settings import QuerySettings
from ris.pretrained.matching.cross_matcher import CrossMatcher
from ris.pretrained.regions.proposer import GroupingProposer
from ris.pretrained.regions.refiner import GrabCutRefiner
from tests.builders.networks import write_folder

HERE = Path("/nowhere")
PUBLISHED = [p for p in PRESETS.values() if p not in (TINY, CLASSICAL)]
NETWORKS = ("proposer", "encoder", "matcher", "parser", "describer")


def test_the_embedded_preset_is_loaded_by_the_classes_that_read_published_ones():
    loader = Loader(TINY, HERE)
    proposer, refiner = loader.load_proposer()

    assert isinstance(proposer, SamProposer) and refiner is proposer
    assert isinstance(loader.load_encoder(), ClipEncoder)
    assert isinstance(loader.load_matcher(), CrossMatcher)
    assert isinstance(loader.load_parser(), SpacyParser)
    assert isinstance(loader.load_describer(), BlipDescriber)


def test_methods_without_a_parser_of_their_own_read_with_the_presets():
    _, own = Loader(TINY, HERE).load_parsers()

    assert own == {}


def test_no_parser_is_loaded_twice(tmp_path):
    copied = shutil.copytree(TINY.parser.folder, tmp_path / "copied")
    other = Source("other", "spacy", folder=copied)
    preset = replace(TINY, global_local_parser=other, lgd_parser=TINY.parser, iterprime_parser=other)

    parser, own = Loader(preset, HERE).load_parsers()

    assert list(own) == ["global-local", "lgd", "iterprime"]
    assert own["lgd"] is parser
    assert own["global-local"] is own["iterprime"]
    assert own["global-local"] is not parser


def test_a_methods_parser_that_is_none_is_refused_by_name():
    wrong = replace(TINY, lgd_parser=Source("wrong", "clip", folder=HERE))

    with pytest.raises(SettingsError, match="wrong, a network of kind 'clip', cannot parse expressions"):
        Loader(wrong, HERE).load_parsers()


def test_a_fetched_clip_is_read_from_the_folder_of_fetched_networks(tmp_path):
    source = Source("rn", "clip")
    (tmp_path / "rn").mkdir()
    write_folder(tmp_path / "rn", "resnet")

    assert isinstance(Loader(replace(TINY, clip=source), tmp_path).load_encoder(), ClipResNetEncoder)


@pytest.mark.parametrize("network", NETWORKS)
def test_a_network_in_the_wrong_place_is_refused_by_name(network):
    field = {"proposer": "masks", "encoder": "clip", "matcher": "itm"}.get(network, network)
    wrong = Source("wrong", "spacy" if field != "parser" else "clip", folder=HERE)

    with pytest.raises(
        SettingsError, match=r"preset 'tiny': wrong, a network of kind '(spacy|clip)', cannot"
    ):
        getattr(Loader(replace(TINY, **{field: wrong}), HERE), f"load_{network}")()


def test_a_preset_without_networks_loads_its_parser_alone():
    loader = Loader(CLASSICAL, HERE)

    proposer, refiner = loader.load_proposer()

    assert isinstance(proposer, GroupingProposer) and isinstance(refiner, GrabCutRefiner)
    assert loader.load_encoder() is loader.load_matcher() is loader.load_describer() is None


def test_a_preset_without_a_network_for_masks_needs_the_numbers_of_grouping():
    with pytest.raises(SettingsError, match="preset 'tiny': it names no network for masks"):
        Loader(replace(TINY, masks=None), HERE).load_proposer()


def test_numbers_of_another_proposer_are_refused():
    with pytest.raises(
        SettingsError, match="tiny-sam, a network of kind 'sam', cannot propose masks with these"
    ):
        Loader(replace(TINY, proposals=QuerySettings()), HERE).load_proposer()


@pytest.mark.parametrize("preset", PUBLISHED, ids=lambda p: p.name)
@pytest.mark.parametrize("network", NETWORKS)
def test_every_published_network_has_its_reader_which_misses_the_files_first(preset, network, tmp_path):
    with pytest.raises(WeightsError, match=str(tmp_path)):
        getattr(Loader(preset, tmp_path), f"load_{network}")()


@pytest.mark.parametrize("network", ["proposer", "encoder", "matcher", "describer"])
def test_the_products_of_a_loaded_network_are_measured_once_and_kept_in_the_models_folder(tmp_path, network):
    getattr(Loader(TINY, tmp_path), f"load_{network}")()
    (answers,) = json.loads((tmp_path / SPEED_FILE).read_text())["machines"].values()
    written = (tmp_path / SPEED_FILE).stat().st_mtime_ns

    getattr(Loader(TINY, tmp_path), f"load_{network}")()

    assert len(answers) > 2
    assert (tmp_path / SPEED_FILE).stat().st_mtime_ns == written


def test_a_loaded_encoder_multiplies_by_the_measured_ways():
    blocks = Loader(TINY, HERE).load_encoder().model.visual.transformer.resblocks

    assert all(type(block.mlp.c_fc) is FastLinear for block in blocks)

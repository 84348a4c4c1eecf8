import pytest

from ris.errors import SettingsError
from ris.pretrained.catalog.presets import BASE, CLASSICAL, PRESETS, TINY, find_preset


def test_a_preset_is_found_by_its_name():
    assert find_preset("tiny") is TINY


def test_another_number_of_alternatives_changes_nothing_else():
    preset = find_preset("tiny", alternatives=5)

    assert preset.ranking.alternatives == 5
    assert preset.ranking.temperatures == TINY.ranking.temperatures
    assert preset.proposals == TINY.proposals


def test_an_unknown_preset_says_which_there_are():
    with pytest.raises(SettingsError, match="there is no preset 'huge'; RIS_PRESET can be tiny, base, paper"):
        find_preset("huge")


def test_every_presets_summary_says_what_it_is_not_good_for():
    assert "useless on photographs" in TINY.summary
    assert "no network: position, size, order and colour only" in CLASSICAL.summary
    published = [p for p in PRESETS.values() if p not in (TINY, CLASSICAL)]
    assert all("figures not measured" in p.summary for p in published)


def test_the_networks_of_a_preset_are_counted_once():
    assert [source.name for source in BASE.sources] == [
        "sam-vit-b", "clip-vit-b-32-openai", "blip-itm-base-coco", "en_core_web_sm-3.8.0",
        "qwen3-vl-2b-instruct",
    ]  # fmt: skip


def test_the_paper_presets_read_with_the_parsers_of_the_methods_authors():
    for preset in (one for name, one in PRESETS.items() if name.startswith("paper")):
        assert preset.parser.name == "en_core_web_trf-3.8.0"
        assert {method: one.name for method, one in preset.own_parsers.items()} == {
            "global-local": "en_core_web_lg-3.8.0"
        }
        assert [one.name for one in preset.sources].count("en_core_web_lg-3.8.0") == 1


def test_the_paper_presets_go_by_the_released_rules_and_the_others_by_ours():
    rules = {name: (one.lgd.rectifier, one.lgd.synonyms) for name, one in PRESETS.items()}

    assert rules.pop("tiny") == ("off", "plain words")
    assert {name for name, rule in rules.items() if rule == ("released", "released")} == {
        "paper", "paper-rn50", "paper-mask2former",
    }  # fmt: skip
    assert rules["base"] == rules["best"] == ("plain words", "plain words")
    assert BASE.own_parsers == TINY.own_parsers == {}


def test_the_embedded_presets_need_nothing_to_be_fetched():
    assert [p.name for p in PRESETS.values() if not any(source.parts for source in p.sources)] == [
        "tiny", "classical",
    ]  # fmt: skip


def test_the_preset_without_a_network_has_the_embedded_parser_alone():
    assert CLASSICAL.sources == (TINY.parser,)
    assert not CLASSICAL.has_networks and all(p.has_networks for p in PRESETS.values() if p is not CLASSICAL)

import pytest

from backend.errors import SettingsError
from backend.pretrained.presets import PRESETS, TINY, preset_named


def test_a_preset_is_found_by_its_name():
    assert preset_named("tiny") is TINY


def test_another_number_of_alternatives_changes_nothing_else():
    preset = preset_named("tiny", alternatives=5)

    assert preset.ranking.alternatives == 5
    assert preset.ranking.temperatures == TINY.ranking.temperatures
    assert preset.proposals == TINY.proposals


def test_an_unknown_preset_says_which_there_are():
    with pytest.raises(SettingsError, match="there is no preset 'huge'; RIS_PRESET can be tiny"):
        preset_named("huge")


def test_every_presets_summary_says_what_it_is_not_good_for():
    assert "useless on photographs" in PRESETS["tiny"].summary

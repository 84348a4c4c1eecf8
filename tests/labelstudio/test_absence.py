from dataclasses import replace

import pytest

from ris.core.types import Absence
from ris.label_config import read
from ris.labelstudio.absence import write_absence
from ris.labelstudio.choice import ALTERNATIVE_ID_PATTERN
from ris.labelstudio.config.control import read_controls
from tests.builders.alternatives import OFFERS

CONTROLS = read_controls(read("tabs_brush.xml"))


def doubt(absence):
    return [replace(one, suggestion=replace(one.suggestion, absence=absence)) for one in OFFERS]


def test_the_choice_has_an_id_of_its_own_for_each_task_and_version():
    (region,), is_first = write_absence(doubt(Absence(0.8)), CONTROLS)

    assert region["id"] == OFFERS[0].region_id[: OFFERS[0].region_id.rindex("-")] + "-none"
    assert not ALTERNATIVE_ID_PATTERN.fullmatch(region["id"])
    assert (region["from_name"], region["value"], is_first) == (
        "referent", {"choices": ["object not in image"]}, False,
    )  # fmt: skip


def test_a_label_config_without_the_choice_offers_nothing():
    assert write_absence(doubt(Absence(0.8)), replace(CONTROLS, no_referent=None)) == ([], False)


@pytest.mark.parametrize("absence", [None, Absence(0.3)])
def test_what_is_probably_there_offers_nothing(absence):
    assert write_absence(doubt(absence), CONTROLS) == ([], False)


def test_a_low_limit_of_a_team_is_obeyed():
    assert write_absence(doubt(Absence(0.3, is_prechosen=True)), CONTROLS)[1]

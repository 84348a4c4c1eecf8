from xml.etree import ElementTree

import pytest

from ris.core.types import Verdict
from ris.errors import InputError
from ris.evaluation.decisions.charts import draw_chart, find_charts
from tests.builders.evaluated import ACCEPTED, EVERYTHING, LEFT, NONE, make_decision, to_table


def test_every_chart_is_a_well_formed_drawing():
    table = to_table(EVERYTHING)

    for name in find_charts(table):
        assert ElementTree.fromstring(draw_chart(table, name)).tag == "{http://www.w3.org/2000/svg}svg"


def test_only_what_there_is_something_for_is_drawn():
    assert find_charts(to_table([NONE])) == {"times": "Seconds in the editor"}
    assert find_charts(to_table([])) == {}
    untimed = make_decision(Verdict.ACCEPTED, LEFT, rank=0, lead_time_s=None)
    assert "times" not in find_charts(to_table([untimed]))


@pytest.mark.parametrize("name", ["ranks", "weeks", "../ranks", ""])
def test_a_chart_without_decisions_is_refused_with_those_that_there_are(name):
    with pytest.raises(InputError, match=f"no chart '{name}' of these decisions; there are: times"):
        draw_chart(to_table([NONE]), name)


def test_the_same_decisions_give_the_same_drawing():
    assert draw_chart(to_table([ACCEPTED]), "ious") == draw_chart(to_table([ACCEPTED]), "ious")

from xml.etree import ElementTree

from ris.core.types import Verdict
from ris.evaluation.decisions.charts import draw_charts
from tests.builders.evaluated import ACCEPTED, EVERYTHING, LEFT, NONE, make_decision, to_table


def test_every_chart_is_a_well_formed_drawing():
    for svg in draw_charts(to_table(EVERYTHING)).values():
        assert ElementTree.fromstring(svg).tag.endswith("svg")


def test_only_what_there_is_something_for_is_drawn():
    assert set(draw_charts(to_table([NONE]))) == {"Seconds in the editor"}
    assert draw_charts(to_table([])) == {}
    untimed = make_decision(Verdict.ACCEPTED, LEFT, rank=0, lead_time_s=None)
    assert "Seconds in the editor" not in draw_charts(to_table([untimed]))


def test_the_same_decisions_give_the_same_drawing():
    assert draw_charts(to_table([ACCEPTED])) == draw_charts(to_table([ACCEPTED]))

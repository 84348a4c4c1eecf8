from xml.etree import ElementTree

from ris.core.types import Verdict
from ris.evaluation.decisions.charts import draw_charts
from tests.builders.evaluated import ACCEPTED, EVERYTHING, LEFT, NONE, make_evaluated


def test_every_chart_is_a_well_formed_drawing():
    for svg in draw_charts(EVERYTHING).values():
        assert ElementTree.fromstring(svg).tag.endswith("svg")


def test_only_what_there_is_something_for_is_drawn():
    assert set(draw_charts([NONE])) == {"Seconds in the editor"}
    assert draw_charts([]) == {}
    untimed = make_evaluated(Verdict.ACCEPTED, LEFT, rank=0, lead_time_s=None)
    assert "Seconds in the editor" not in draw_charts([untimed])


def test_the_same_decisions_give_the_same_drawing():
    assert draw_charts([ACCEPTED]) == draw_charts([ACCEPTED])

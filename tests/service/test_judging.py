from dataclasses import replace

from ris.core.types import Verdict
from ris.labelstudio.event import read_event
from ris.service.judging import judge_event_answer, select_shown_alternatives
from tests.builders.events import box, event
from tests.builders.records import correction, offers

NEWEST_FIRST = (*offers("v2"), *offers("v1"))
ANSWER = correction().annotation  # with a region of v1


def test_the_alternatives_of_the_regions_in_an_answer_were_shown():
    assert select_shown_alternatives(NEWEST_FIRST, ANSWER) == offers("v1")


def test_without_such_a_region_the_newest_were_shown():
    redrawn = replace(ANSWER, region_ids=("drawn",))

    assert select_shown_alternatives(NEWEST_FIRST, redrawn) == offers("v2")
    assert select_shown_alternatives((), redrawn) == ()


def test_an_answer_to_a_task_without_alternatives_is_redrawn_and_compared_with_none(database):
    arrived = read_event(event([box(20)], number=1), lambda task: None)
    (annotation,) = arrived.annotations

    with database.begin() as session:
        judged, version, comparison = judge_event_answer(session, annotation, arrived)

    assert (judged.verdict, version) == (Verdict.REDRAWN, None)
    assert (comparison.n_shown, comparison.overlaps) == (0, ((0, annotation.mask.area_px),))

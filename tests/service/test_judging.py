from dataclasses import replace

from ris.core.rle import decode_rle, encode_rle
from ris.core.types import Verdict
from ris.labelstudio.event import read_event
from ris.service.judging import judge_event_answer, select_shown_alternatives
from ris.store.adjudications import Adjudication, OfferedMask, add_adjudications
from ris.store.judged import find_newest_judged_answers
from ris.store.records import add_correction
from tests.builders.events import box, event
from tests.builders.records import NOW, correction, offers

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


def test_an_answer_that_settles_a_task_is_compared_with_the_answers_to_that_task(database):
    arrived = read_event(event([box(20)], number=1), lambda task: None)
    (annotation,) = arrived.annotations
    taken, other = annotation.mask, encode_rle(~decode_rle(annotation.mask))
    offered = []
    for rank, mask in enumerate((other, taken)):
        made = correction(50 + rank)
        with database.begin() as session:
            answer = replace(made, annotation=replace(made.annotation, mask=mask))
            add_correction(session, answer, version=None, event_id=None, now=NOW)
            (row,) = find_newest_judged_answers(session, 1)
        offered.append(OfferedMask(f"r{rank}", rank, 0.0, (row.row_id,)))
    task = annotation.task
    made = Adjudication(task.project, task.task_id, replace(task, task_id=99), "answers-1", tuple(offered))

    with database.begin() as session:
        add_adjudications(session, [made], now=NOW)
        judged, version, _ = judge_event_answer(session, annotation, arrived)

    assert (judged.verdict, judged.rank, version) == (Verdict.ACCEPTED, 1, "answers-1")

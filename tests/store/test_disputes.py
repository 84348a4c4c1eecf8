from dataclasses import replace

import numpy as np
import pytest

from ris.core.rle import encode_rle
from ris.core.types import Verdict
from ris.store.disputes import find_disputes
from ris.store.filters import DecisionFilter
from tests.builders.records import SIZE, TASK, add, correction


def answer(number, task_id, columns, *, verdict=Verdict.REDRAWN, seconds=None):
    """An answer whose mask is some columns of the image."""
    mask = np.zeros(SIZE, np.bool_)
    mask[:, columns] = True
    made = correction(number, number if seconds is None else seconds, verdict=verdict, rank=None)
    shown = encode_rle(mask) if verdict.has_mask else None
    task = replace(TASK, task_id=task_id)
    return replace(made, annotation=replace(made.annotation, task=task, mask=shown))


def find(database, **more):
    with database.begin() as session:
        return find_disputes(session, DecisionFilter(**more), limit=9)


def test_tasks_whose_answers_differ_come_most_different_first(database):
    add(
        database,
        answer(1, 1, slice(0, 4)), answer(2, 1, slice(0, 4)),
        answer(3, 2, slice(0, 4)), answer(4, 2, slice(3, 7)), answer(5, 2, slice(0, 4)),
        answer(6, 3, slice(0, 4)), answer(7, 3, slice(0, 0), verdict=Verdict.NO_REFERENT),
        answer(8, 4, slice(0, 4)),
    )  # fmt: skip

    found = find(database)

    assert [(one.task.task_id, one.n_answers, one.iou) for one in found] == [
        (3, 2, 0.0), (2, 3, pytest.approx(1 / 7)),
    ]  # fmt: skip
    assert found[0].verdicts == (Verdict.REDRAWN, Verdict.NO_REFERENT)


def test_answers_that_agree_are_no_dispute(database):
    add(
        database, answer(1, 1, slice(0, 4)), answer(2, 1, slice(0, 5)),
        answer(3, 2, slice(0, 0), verdict=Verdict.NO_REFERENT),
        answer(4, 2, slice(0, 0), verdict=Verdict.NO_REFERENT),
        answer(5, 3, slice(0, 4)), answer(6, 3, slice(0, 0), verdict=Verdict.SKIPPED),
    )  # fmt: skip

    assert find(database) == []


def test_answers_to_other_words_of_a_task_are_not_compared(database):
    one, two = answer(1, 1, slice(0, 4)), answer(2, 1, slice(6, 9))
    asked_anew = replace(two.annotation.task, expression="the cat")
    add(database, one, replace(two, annotation=replace(two.annotation, task=asked_anew)))

    assert find(database) == []


def test_the_other_answers_of_a_chosen_answers_task_count(database):
    one, two = answer(1, 1, slice(0, 4)), answer(2, 1, slice(6, 9))
    add(database, one, replace(two, annotation=replace(two.annotation, annotator=8)))

    assert [dispute.n_answers for dispute in find(database, annotator=8)] == [2]


def test_of_a_task_with_many_answers_the_newest_are_compared(database):
    add(database, answer(1, 1, slice(8, 12)), *(answer(number, 1, slice(0, 4)) for number in range(2, 22)))
    assert find(database) == []

    add(database, answer(22, 1, slice(8, 12)))
    assert [(dispute.n_answers, dispute.iou) for dispute in find(database)] == [(20, 0.0)]

from dataclasses import replace

from ris.core.decision import to_judged_answer
from ris.core.types import Task, Verdict
from ris.store.judged import fill_comparisons, find_newest_judged_answers, read_judged_answers
from ris.store.records import add_deletion
from tests.builders.records import NOW, TASK, add, correction, keep, read


def read_judged(database, **more):
    with database.begin() as session:
        return list(read_judged_answers(session, **more))


def test_judged_answers_are_the_decisions_without_their_masks(database):
    keep(database)
    unseen = Task(8, TASK.project, "elsewhere.png", "the cat")
    add(
        database, correction(1), correction(2, rank=2), correction(3, verdict=Verdict.NO_REFERENT, rank=None),
        correction(4, task=unseen), correction(5, annotator=None, seconds=9),
    )  # fmt: skip

    expected = [to_judged_answer(decision) for decision in read(database)]

    assert [answer._replace(row_id=0) for answer in read_judged(database)] == expected
    assert {answer.image for answer in expected} == {("", "ab" * 32), (TASK.project, "elsewhere.png")}


def test_only_the_project_that_is_named_is_read(database):
    add(database, correction(1), correction(2, task=replace(TASK, project="2.5")))

    assert [answer.task.project for answer in read_judged(database, project="2.5")] == ["2.5"]


def test_the_answers_given_last_come_first(database):
    late = Task(1, "9.1", "a.png", "the mug")
    add(
        database, correction(1, seconds=2), correction(2, seconds=8, task=late), correction(3, seconds=5),
        correction(4, seconds=1), correction(4, seconds=9), correction(5, seconds=20),
    )  # fmt: skip
    with database.begin() as session:
        add_deletion(session, TASK.project, annotation_ids=[5], event_id=None, now=NOW)
        found = find_newest_judged_answers(session, 3)

    assert [(answer.updated_at - NOW).seconds for answer in found] == [9, 8, 5]


def test_comparisons_are_stored_once(database):
    keep(database)
    add(database, correction(1), correction(2))
    before = read_judged(database)

    assert list(fill_comparisons(database)) == [2]
    assert list(fill_comparisons(database)) == []
    assert read_judged(database) == before

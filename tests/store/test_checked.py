from dataclasses import replace

from ris.core.types import Verdict
from ris.store.checked import load_answer_masks, read_checked_tasks
from ris.store.records import add_deletion
from tests.builders.records import NOW, SIZE, TASK, add, correction, keep, mask


def read(database):
    with database.begin() as session:
        return read_checked_tasks(session, TASK.project)


def test_a_task_has_its_image_its_newest_ranking_and_its_answers(database):
    keep(database)
    add(database, correction(1), correction(2, verdict=Verdict.NO_REFERENT, rank=None, annotator=4))

    (task,) = read(database)

    assert (task.name, task.task, task.image, task.size) == ("task 7", TASK, ("", "ab" * 32), SIZE)
    assert task.ranking.scores == (1 / 3, 4 / 3, 7 / 3)
    assert task.ranking.favourites == {"global-local": 0}
    assert not task.ranking.is_chance
    assert [(one.annotator, one.verdict, one.has_mask, one.lead_time_s) for one in task.answers] == [
        (3, Verdict.ACCEPTED, True, 1.5), (4, Verdict.NO_REFERENT, False, 1.5),
    ]  # fmt: skip


def test_masks_are_loaded_by_their_handles(database):
    keep(database)
    add(database, correction(1, rank=0), correction(2, rank=1))
    (task,) = read(database)
    handles = [one.handle for one in task.answers]

    with database.begin() as session:
        assert load_answer_masks(session, handles[::-1]) == [mask(1), mask(0)]
        assert load_answer_masks(session, []) == []


def test_answers_without_suggestions_and_suggestions_without_answers_are_tasks(database):
    answered = replace(TASK, task_id=9, image_url="/b.png")
    keep(database)
    add(database, correction(1, task=answered))

    assert [(one.task.task_id, one.ranking is None, len(one.answers)) for one in read(database)] == [
        (7, False, 0), (9, True, 1),
    ]  # fmt: skip


def test_other_words_of_a_task_are_another_task(database):
    keep(database)
    keep(database, replace(TASK, expression="the cat"))

    assert sorted(one.task.expression for one in read(database)) == sorted([TASK.expression, "the cat"])


def test_deleted_tasks_and_other_projects_are_left_out(database):
    keep(database)
    keep(database, replace(TASK, task_id=8))
    keep(database, replace(TASK, project="2.1700000000"))
    with database.begin() as session:
        add_deletion(session, TASK.project, task_ids=[8], event_id=None, now=NOW)

    assert [one.task.task_id for one in read(database)] == [7]

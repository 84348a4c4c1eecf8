from dataclasses import replace

import pytest
from sqlalchemy import event

from ris.core.types import Verdict
from ris.store import answer_groups
from ris.store.answer_groups import read_answer_groups
from tests.builders.records import TASK, add, correction, keep, mask


def answer(number, task_id, annotator, *, verdict=Verdict.ACCEPTED, seconds=0, **changed):
    task = replace(TASK, task_id=task_id, **changed)
    return correction(number, seconds, verdict, 0 if verdict.has_mask else None, task, annotator)


def read_all(database, **more):
    with database.begin() as session:
        return list(read_answer_groups(session, **more))


def find_people(database, **more):
    return [
        (one.task.task_id, [answer.annotator for answer in one.answers]) for one in read_all(database, **more)
    ]


def test_only_tasks_that_several_people_answered_are_returned(database):
    add(database, answer(1, 1, 5), answer(2, 2, 5), answer(3, 2, 4), answer(4, 3, 5), answer(5, 3, 5))

    assert find_people(database) == [(2, [4, 5])]


def test_of_one_person_the_newest_answer_counts(database):
    add(
        database,
        answer(1, 1, 5, seconds=9),
        answer(2, 1, 5, verdict=Verdict.NO_REFERENT, seconds=3),
        answer(3, 1, 4, verdict=Verdict.SKIPPED),
    )

    (group,) = read_all(database)

    assert [(one.annotator, one.verdict, one.mask) for one in group.answers] == [
        (4, Verdict.SKIPPED, None), (5, Verdict.ACCEPTED, mask(0)),
    ]  # fmt: skip


def test_answers_to_other_words_or_another_image_are_other_groups(database):
    add(
        database, answer(1, 1, 5), answer(2, 1, 4, expression="the cat"), answer(3, 2, 5),
        answer(4, 2, 4, image_url="/b.png"), answer(5, 3, 5), answer(6, 3, 4),
    )  # fmt: skip

    assert find_people(database) == [(3, [4, 5])]


def test_an_unknown_author_is_left_out(database):
    add(database, answer(1, 1, None), answer(2, 1, None), answer(3, 1, 4), answer(4, 2, 0), answer(5, 2, 4))

    assert find_people(database) == [(2, [0, 4])]


def test_one_project_can_be_read_alone(database):
    elsewhere = "2.1700000000"
    add(
        database, answer(1, 1, 5), answer(2, 1, 4),
        answer(1, 9, 5, project=elsewhere), answer(2, 9, 4, project=elsewhere),
    )  # fmt: skip

    assert find_people(database) == [(1, [4, 5]), (9, [4, 5])]
    assert find_people(database, project=elsewhere) == [(9, [4, 5])]


def test_tasks_of_one_picture_have_one_image(database):
    one, other = (replace(TASK, task_id=number, image_url=f"/{number}.png") for number in (1, 2))
    keep(database, one)
    keep(database, other)
    add(
        database,
        *(answer(n, t.task_id, n, image_url=t.image_url) for n, t in enumerate([one, one, other, other])),
    )

    assert [group.image for group in read_all(database)] == [("", "ab" * 32)] * 2


@pytest.mark.parametrize("per_page", [1, 2, 3, 200])
def test_pages_of_any_size_return_each_task_once(database, monkeypatch, per_page):
    monkeypatch.setattr(answer_groups, "_TASKS_PER_PAGE", per_page)
    add(database, *(answer(10 * task + person, task, person) for task in range(1, 6) for person in (1, 2)))

    assert find_people(database) == [(task, [1, 2]) for task in range(1, 6)]


def test_masks_of_tasks_with_one_answer_are_not_read(database):
    add(database, *(answer(number, number, 5) for number in range(1, 50)), answer(99, 7, 4))
    returned = []

    with database.begin() as session:
        connection = session.connection()

        def count_rows(cursor_connection, cursor, statement, *_):
            returned.append(statement)

        event.listen(connection, "after_cursor_execute", count_rows)
        (group,) = read_answer_groups(session)

    assert group.task.task_id == 7
    assert sum("counts" in statement for statement in returned) == 1

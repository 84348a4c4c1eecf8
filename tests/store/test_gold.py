from dataclasses import replace

import pytest
from sqlalchemy import event

from ris.core.types import Verdict
from ris.store import gold
from ris.store.gold import GoldTask, add_gold_tasks, find_gold_tasks, read_gold_answers
from ris.store.session import Database, upgrade_database
from tests.builders.records import NOW, TASK, add, correction, keep, mask

MASK = mask(0)


@pytest.fixture
def database(empty_url):
    upgrade_database(empty_url)
    database = Database.open(empty_url)
    yield database
    database.close()


def task_of(number, **changed):
    return replace(TASK, task_id=number, **changed)


def add_known(database, *numbers, known_mask=MASK, author=None):
    with database.begin() as session:
        tasks = [GoldTask(task_of(number), known_mask, "known.json", author) for number in numbers]
        return add_gold_tasks(session, tasks, now=NOW)


def answer(number, task_id, annotator, *, verdict=Verdict.ACCEPTED, seconds=0, rank=0, **changed):
    rank = rank if verdict.has_mask else None
    return correction(number, seconds, verdict, rank, task_of(task_id, **changed), annotator)


def read_all(database, **more):
    with database.begin() as session:
        return list(read_gold_answers(session, **more))


def test_a_task_is_gold_once_and_its_mask_stays(database):
    assert add_known(database, 1, 2) == 2
    assert add_known(database, 2, 3, known_mask=None) == 1
    add(database, answer(1, 2, 5), answer(2, 3, 5))

    assert [one.known for one in read_all(database)] == [mask(0), None]
    with database.begin() as session:
        assert find_gold_tasks(session, TASK.project) == {1, 2, 3}
        assert find_gold_tasks(session, "9.1700000000") == set()


def test_answers_to_gold_tasks_are_read_with_what_is_known(database):
    add_known(database, 1)
    add(database, answer(1, 1, 5, rank=1), answer(2, 1, 6, verdict=Verdict.NO_REFERENT), answer(3, 2, 5))
    keep(database, task_of(1))

    first, second = read_all(database)

    assert (first.annotator, first.mask, first.known) == (5, mask(1), mask(0))
    assert (second.annotator, second.mask) == (6, None)
    assert first.image == second.image == ("", "ab" * 32)
    assert read_all(database, project="9.1700000000") == []
    assert read_all(database, project=TASK.project) == [first, second]


def test_skipped_unknown_and_own_answers_and_those_to_other_words_do_not_count(database):
    add_known(database, 1, author=8)
    add(
        database, answer(1, 1, 5, verdict=Verdict.SKIPPED), answer(2, 1, None), answer(3, 1, 8),
        answer(4, 1, 6, expression="the cat"), answer(5, 1, 7, image_url="/b.png"), answer(6, 1, 9),
    )  # fmt: skip

    assert [one.annotator for one in read_all(database)] == [9]


@pytest.mark.parametrize("page", [1, 2, 3, 200])
def test_of_one_person_the_newest_counts_across_pages(database, monkeypatch, page):
    monkeypatch.setattr(gold, "_TASKS_PER_PAGE", page)
    add_known(database, 1, 2, 3)
    add(
        database, answer(1, 1, 5, seconds=9), answer(2, 1, 5, rank=1), answer(3, 1, 6, seconds=1),
        answer(4, 2, 5), answer(5, 2, 5, seconds=3, rank=2), answer(6, 3, 5),
    )  # fmt: skip

    found = [(one.task.task_id, one.annotator, one.mask) for one in read_all(database)]

    assert found == [(1, 5, mask(0)), (1, 6, mask(0)), (2, 5, mask(2)), (3, 5, mask(0))]


def test_queries_do_not_grow_with_the_answers(database):
    add_known(database, *range(1, 90))
    add(database, *(answer(number, number, 5) for number in range(1, 90)))
    statements = []
    event.listen(database._engine, "before_cursor_execute", lambda *call: statements.append(call[2]))

    assert len(read_all(database)) == 89
    assert len(statements) <= 8

"""Tasks that settle others: what is offered, what counts as settled, and what an export lists."""

from dataclasses import replace

import pytest
from sqlalchemy import event

from ris.core.types import Verdict
from ris.store.adjudications import (
    add_adjudications,
    find_adjudications,
    find_offered_alternatives,
    find_settled_tasks,
    find_sources,
    is_adjudication_project,
)
from ris.store.alternatives import find_answer_alternatives
from ris.store.export_pages import AnswerPages
from ris.store.history import find_decisions_by_image
from ris.store.judged import read_judged_answers
from ris.store.session import Database, upgrade_database
from tests.builders.adjudications import SETTLING, make_adjudication, of_task, outcome
from tests.builders.records import NOW, TASK, add, mask, read


@pytest.fixture
def database(empty_url):
    upgrade_database(empty_url)
    database = Database.open(empty_url)
    yield database
    database.close()


def settle(database, *made):
    with database.begin() as session:
        add_adjudications(session, made, now=NOW)


def list_numbers(database, project=None):
    answers = AnswerPages(database, project=project).list_answers()
    return [(one.annotation_id, one.settles and one.settles.task_id) for one in answers]


def test_what_was_added_is_found_and_its_alternatives_can_be_replaced(database):
    add(database, of_task(1, 7), of_task(2, 7, 4, rank=1))
    made = make_adjudication()
    settle(database, made, make_adjudication(2))
    changed = make_adjudication(2, answers=((2,),))
    settle(database, changed)

    with database.begin() as session:
        assert find_adjudications(session, SETTLING) == [made, changed]
        assert find_adjudications(session, "6.1700000000") == []
        assert is_adjudication_project(session, SETTLING)
        assert not is_adjudication_project(session, TASK.project)


def test_the_alternatives_have_the_masks_of_the_answers_and_tell_nothing_else(database):
    add(database, of_task(1, 7), of_task(2, 7, 4, rank=1))
    settle(database, make_adjudication(answers=((2,), (1,))))
    answer = outcome(3).annotation

    with database.begin() as session:
        first, second = find_answer_alternatives(session, [answer])[0]
        assert find_offered_alternatives(session, [answer.task]) == {answer.task: (first, second)}

    assert [first.suggestion.mask, second.suggestion.mask] == [mask(1), mask(0)]
    assert [(one.region_id, one.place, one.suggestion.methods) for one in (first, second)] == [
        ("r1-0", 0, {}), ("r1-1", 1, {}),
    ]  # fmt: skip
    assert first.suggestion.version == "answers-1"


def test_a_task_is_settled_by_an_answer_to_its_words_that_is_not_skipped(database):
    settle(database, *(make_adjudication(number) for number in (1, 2, 3)))
    other = replace(TASK, expression="the cat")
    add(database, outcome(1, 1), outcome(2, 2, verdict=Verdict.SKIPPED), outcome(3, 3, other))

    with database.begin() as session:
        assert find_settled_tasks(session, SETTLING) == {1}
        tasks = [outcome(1, 1).annotation.task, outcome(3, 3, other).annotation.task, TASK]
        assert find_sources(session, tasks) == {tasks[0]: TASK}


def test_answers_that_settle_a_task_are_listed_after_those_to_it(database):
    add(database, of_task(1, 6), of_task(2, 7), of_task(3, 7, 4), of_task(4, 8))
    add(database, outcome(11, 21), outcome(12, 22), outcome(13, 23, replace(TASK, task_id=6)))
    settle(database, *(make_adjudication(n) for n in (21, 22)))
    settle(database, make_adjudication(23, replace(TASK, task_id=6)))

    listed = [(1, None), (13, 6), (2, None), (3, None), (11, 7), (12, 7), (4, None)]
    assert list_numbers(database) == listed
    assert list_numbers(database, TASK.project) == listed
    assert list_numbers(database, SETTLING) == [(11, 7), (12, 7), (13, 6)]


def test_every_answer_is_listed_once_also_without_answers_to_settle_and_to_other_words(database):
    add(database, of_task(1, 6), outcome(11, 21), outcome(12, 22, replace(TASK, task_id=6, expression="cat")))
    settle(database, make_adjudication(21), make_adjudication(22, replace(TASK, task_id=6)))

    assert list_numbers(database) == [(1, None), (11, 7), (12, None)]
    assert len(read(database)) == 3


def test_outcomes_of_a_task_that_fills_pages_come_once(database, monkeypatch):
    monkeypatch.setattr("ris.store.export_pages._ANSWERS_PER_PAGE", 2)
    add(database, *(of_task(number, 7, number) for number in range(1, 6)), of_task(6, 8), outcome(11, 21))
    settle(database, make_adjudication(21))

    assert [number for number, _ in list_numbers(database)] == [1, 2, 3, 4, 5, 11, 6]


def test_figures_of_all_projects_are_those_of_suggestions(database):
    add(database, of_task(1, 6), outcome(11, 21))
    settle(database, make_adjudication(21))

    with database.begin() as session:
        assert [one.task.task_id for one in read_judged_answers(session)] == [6]
        assert [one.task.task_id for one in read_judged_answers(session, project=SETTLING)] == [21]
        assert len(find_decisions_by_image(session)) == 1
        assert len(find_decisions_by_image(session, project=SETTLING)) == 1


def test_a_page_takes_as_many_queries_however_many_tasks_are_settled(database):
    add(database, *(of_task(number, number) for number in range(1, 40)))
    statements = []
    event.listen(database._engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    list_numbers(database)
    n_before = len(statements)
    settle(database, *(make_adjudication(100 + n, replace(TASK, task_id=n)) for n in range(1, 40)))
    add(database, *(outcome(100 + n, 100 + n, replace(TASK, task_id=n)) for n in range(1, 40)))
    statements.clear()

    assert len(list_numbers(database)) == 78
    assert len(statements) <= n_before + 6

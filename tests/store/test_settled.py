import pytest

from ris.core.types import Verdict
from ris.store import settled
from ris.store.adjudications import add_adjudications
from ris.store.settled import read_settled_tasks
from tests.builders.adjudications import SETTLING, make_adjudication, of_task, outcome
from tests.builders.records import NOW, add


def read_all(database):
    with database.begin() as session:
        return list(read_settled_tasks(session, SETTLING))


def settle(database, *made):
    with database.begin() as session:
        add_adjudications(session, made, now=NOW)


@pytest.fixture
def disputed(database):
    """Three people answered task 7, two of them alike; five tasks settle it."""
    add(database, of_task(1, 7, 3), of_task(2, 7, 4, rank=1), of_task(3, 7, 5, rank=1))
    settle(database, *(make_adjudication(number, answers=((2, 3), (1,))) for number in range(1, 6)))


@pytest.mark.parametrize("page", [1, 2, 200])
def test_a_settled_task_has_its_newest_outcome_and_whose_answers_it_took(
    database, disputed, monkeypatch, page
):
    monkeypatch.setattr(settled, "_TASKS_PER_PAGE", page)
    add(
        database, outcome(11, 1), outcome(1, 2), outcome(12, 2, rank=1),
        outcome(13, 3, verdict=Verdict.REDRAWN), outcome(14, 4, verdict=Verdict.SKIPPED),
    )  # fmt: skip

    found = read_all(database)

    assert [one.adjudication.task_id for one in found] == [1, 2, 3]
    assert [one.outcome.annotation.annotation_id for one in found] == [11, 12, 13]
    takers = [[answer.annotation.annotator for answer in one.taken] for one in found]
    assert takers == [[4, 5], [3], []]
    offered = [[answer.annotation.annotator for answer in own] for own in found[0].answers]
    assert offered == [[4, 5], [3]]


def test_without_outcomes_nothing_is_settled(database, disputed):
    assert read_all(database) == []

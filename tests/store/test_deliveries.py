from datetime import UTC, datetime, timedelta

from ris.core.types import Task
from ris.store.deliveries import (
    add_deliveries,
    count_attempts,
    count_deliveries,
    find_due_deliveries,
    find_interrupted_deliveries,
    hold_tasks,
    postpone_delivery,
    remove_deliveries,
)

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SOON = NOW + timedelta(seconds=30)
TASK = Task(7, "1.1700000000", "/a", "mug")


def test_what_is_owed_is_begun_until_somebody_holds_it_and_due_once_the_hold_is_over(database):
    with database.begin() as session:
        add_deliveries(session, [(TASK, "")], "v1")
        assert [d.task for d in find_interrupted_deliveries(session)] == [TASK]
        assert hold_tasks(session, [TASK], "v1", now=NOW, until=SOON) == [True]
        assert (find_interrupted_deliveries(session), find_due_deliveries(session, now=NOW)) == ([], [])
        assert [d.task for d in find_due_deliveries(session, now=SOON)] == [TASK]
        remove_deliveries(session, [TASK], "v1")
        assert count_deliveries(session) == 0


def test_only_one_holds_a_task_and_version_at_a_time(database):
    with database.begin() as session:
        assert hold_tasks(session, [TASK], "v1", now=NOW, until=SOON) == [True]
    with database.begin() as session:
        assert hold_tasks(session, [TASK], "v1", now=NOW, until=SOON) == [False]
        assert hold_tasks(session, [TASK], "v2", now=NOW, until=SOON) == [True]
        assert hold_tasks(session, [TASK], "v1", now=SOON, until=SOON + timedelta(seconds=1)) == [True]


def test_asked_again_with_other_words_the_new_ones_are_owed(database):
    other = Task(7, "1.1700000000", "/a", "the red mug")
    with database.begin() as session:
        add_deliveries(session, [(TASK, "")], "v1")
        postpone_delivery(session, TASK, "v1", until=SOON)
        assert count_attempts(session, TASK, "v1") == 1
        add_deliveries(session, [(other, "the red mug")], "v1")
        (found,) = find_due_deliveries(session, now=SOON)

    assert (found.task, found.carried_expression, found.attempts) == (other, "the red mug", 0)

from datetime import UTC, datetime, timedelta

from ris.core.types import Task
from ris.store.deliveries import find_begun, find_owed, hold, n_attempts, n_owed, owe, postpone, settle

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SOON = NOW + timedelta(seconds=30)
TASK = Task(7, "1.1700000000", "/a", "mug")


def test_what_is_owed_is_begun_until_somebody_holds_it_and_due_once_the_hold_is_over(database):
    with database.begin() as session:
        owe(session, [(TASK, "")], "v1")
        assert [d.task for d in find_begun(session)] == [TASK]
        assert hold(session, [TASK], "v1", now=NOW, until=SOON) == [True]
        assert (find_begun(session), find_owed(session, now=NOW)) == ([], [])
        assert [d.task for d in find_owed(session, now=SOON)] == [TASK]
        settle(session, [TASK], "v1")
        assert n_owed(session) == 0


def test_only_one_holds_a_task_and_version_at_a_time(database):
    with database.begin() as session:
        assert hold(session, [TASK], "v1", now=NOW, until=SOON) == [True]
    with database.begin() as session:
        assert hold(session, [TASK], "v1", now=NOW, until=SOON) == [False]
        assert hold(session, [TASK], "v2", now=NOW, until=SOON) == [True]
        assert hold(session, [TASK], "v1", now=SOON, until=SOON + timedelta(seconds=1)) == [True]


def test_asked_again_with_other_words_the_new_ones_are_owed(database):
    other = Task(7, "1.1700000000", "/a", "the red mug")
    with database.begin() as session:
        owe(session, [(TASK, "")], "v1")
        postpone(session, TASK, "v1", until=SOON)
        assert n_attempts(session, TASK, "v1") == 1
        owe(session, [(other, "the red mug")], "v1")
        (found,) = find_owed(session, now=SOON)

    assert (found.task, found.words, found.attempts) == (other, "the red mug", 0)

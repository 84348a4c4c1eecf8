from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import count
from threading import Thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from ris.core.types import Verdict
from ris.store.current import UNKNOWN, lock_decisions, make_is_current
from ris.store.failures import FailedAnswer, dismiss_failures, replace_failures, resolve_failures
from ris.store.history import count_decisions
from ris.store.records import add_correction, add_deletion
from ris.store.schema import CorrectionRow, EventRow, TallyRow
from ris.store.session import Database, upgrade_database
from tests.builders.records import NOW, TASK, add, correction


def read_flags(session, project):
    rows = session.scalars(select(CorrectionRow).where(CorrectionRow.project == project))
    return {(row.annotation_id, row.updated_at): row.is_current for row in rows}


def read_rule(session, project):
    """Return what the rule says of every version, computed anew over the whole record."""
    rows = session.execute(
        select(CorrectionRow.annotation_id, CorrectionRow.updated_at, make_is_current()).where(
            CorrectionRow.project == project
        )
    )
    return {(number, at): bool(counts) for number, at, counts in rows}


def read_tally(session, project):
    row = TallyRow
    rows = session.execute(
        select(row.day, row.annotator, row.verdict, row.rank, row.n_decisions).where(row.project == project)
    )
    return {tuple(key): n for *key, n in rows if n}


def count_current(session, project):
    rows = session.scalars(
        select(CorrectionRow).where(CorrectionRow.project == project, CorrectionRow.is_current)
    )
    return Counter(
        (
            row.updated_at.date(),
            UNKNOWN if row.annotator is None else row.annotator,
            row.verdict,
            UNKNOWN if row.rank is None else row.rank,
        )
        for row in rows
    )


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('current') / 'ris.db'}"
    upgrade_database(url)
    database = Database.open(url)
    yield database
    database.close()


STEPS = st.tuples(
    st.sampled_from(["read", "read", "read", "failed", "deleted", "task deleted", "dismissed"]),
    st.integers(1, 3),
    st.integers(0, 4),
)
RUNS = count(1)


def take(session, project, step):
    what, number, days = step
    task, at = replace(TASK, project=project, task_id=number % 2), NOW + timedelta(days=days)
    if what == "read":
        made = correction(
            number, verdict=list(Verdict)[days], rank=days or None, task=task, annotator=days or None
        )
        made = replace(made, annotation=replace(made.annotation, updated_at=at))
        add_correction(session, made, version="v1", event_id=None, now=NOW)
        resolve_failures(session, project, number, until=at, besides=0, now=NOW)
    elif what == "failed":
        event = EventRow(
            received_at=NOW, digest=f"{project} {next(RUNS)}", action="", body={}, state="failed",
            error=None, processed_at=None,
        )  # fmt: skip
        session.add(event)
        session.flush()
        one = FailedAnswer(event.id, "choice", "no", project, task.task_id, number, at)
        replace_failures(session, event.id, [one], now=NOW)
    elif what == "deleted":
        add_deletion(session, project, annotation_ids=[number], event_id=None, now=NOW)
    elif what == "task deleted":
        add_deletion(session, project, task_ids=[task.task_id], event_id=None, now=NOW)
    else:
        events = session.scalars(select(EventRow.id).where(EventRow.digest.like(f"{project} %")))
        dismiss_failures(session, list(events), now=NOW)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, max_size=14))
def test_after_any_events_the_flags_are_the_rule_and_the_tallies_count_the_flags(scratch, steps):
    project = f"{next(RUNS)}.1"
    with scratch.begin() as session:
        for step in steps:
            take(session, project, step)

    with scratch.begin() as session:
        assert read_flags(session, project) == read_rule(session, project)
        assert read_tally(session, project) == count_current(session, project)
        assert count_decisions(session, project=project) == sum(count_current(session, project).values())


def test_a_failure_that_is_dismissed_lets_the_older_version_count_again(database):
    add(database, correction(1))
    with database.begin() as session:
        take(session, TASK.project, ("failed", 1, 1))
        assert read_tally(session, TASK.project) == {}
        take(session, TASK.project, ("dismissed", 1, 1))

    with database.begin() as session:
        assert read_tally(session, TASK.project) == {(NOW.date(), 3, "accepted", 0): 1}


def test_a_tally_is_of_the_day_in_utc(database):
    late = datetime(2026, 1, 2, 23, 30, tzinfo=timezone(timedelta(hours=-3)))
    made = correction(1)
    add(database, replace(made, annotation=replace(made.annotation, updated_at=late)))

    with database.begin() as session:
        assert list(read_tally(session, TASK.project)) == [
            (datetime(2026, 1, 3, tzinfo=UTC).date(), 3, "accepted", 0)
        ]


def test_thousands_of_answers_are_deleted_at_once(database):
    add(database, correction(1), correction(2))
    with database.begin() as session:
        add_deletion(session, TASK.project, annotation_ids=range(1, 1200), event_id=None, now=NOW)

        assert count_decisions(session) == 0


def test_two_writers_at_once_leave_one_version_of_an_answer(database):
    """The second begins while the first is open. On PostgreSQL the lock makes it wait."""

    def write(session, seconds):
        lock_decisions(session)
        add_correction(session, correction(1, seconds), version="v1", event_id=None, now=NOW)

    def write_later_version():
        with database.begin() as session:
            write(session, 2)

    second = Thread(target=write_later_version)
    with database.begin() as session:
        write(session, 1)
        second.start()
        second.join(timeout=1)  # without the lock it would be done by then, and not see the first
    second.join()

    with database.begin() as session:
        n_current = session.scalar(select(func.count()).where(CorrectionRow.is_current))
        assert (n_current, read_flags(session, TASK.project)) == (1, read_rule(session, TASK.project))

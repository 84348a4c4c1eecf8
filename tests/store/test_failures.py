"""What could not be understood is counted by cause until it is understood, redone or gone."""

from datetime import UTC, datetime, timedelta

import pytest

from backend.store.failures import (
    FailedAnswer,
    count_failures,
    dismiss_failures,
    failed_annotation_ids,
    failure_groups,
    newest_failures,
    replace_failures,
    settle_deleted,
    settle_failures,
)
from backend.store.inbox import InboxWriter, event_counts, mark_failed, next_events

NOW = datetime(2026, 1, 1, tzinfo=UTC)

PROJECT = "1.1700000000"
LATER = NOW + timedelta(minutes=1)


def failed(event, annotation_id, cause="choice", at=NOW):
    return FailedAnswer(event, cause, f"annotation {annotation_id}: no", PROJECT, 7, annotation_id, at)


@pytest.fixture
def events(database):
    """The numbers of two events: the first failed with answers 1 and 2, the second with answer 3."""
    writer = InboxWriter(database, now=lambda: NOW)
    for number in (1, 2):
        writer.put(digest=f"{number:064}", action="ANNOTATION_CREATED", body="{}")
    writer.close()
    with database.begin() as session:
        first, second = (number for number, _ in next_events(session, limit=2))
        replace_failures(session, first, [failed(first, 1), failed(first, 2, "region")])
        replace_failures(session, second, [failed(second, 3, at=LATER)])
        for event in (first, second):
            mark_failed(session, event, "no", now=NOW)
    return first, second


def test_failures_are_grouped_by_cause_the_most_frequent_first(database, events):
    with database.begin() as session:
        groups = failure_groups(session)
        listed = newest_failures(session, "choice", most=1)

        assert [(g.cause, g.n_answers, g.newest.annotation_id) for g in groups] == [
            ("choice", 2, 3), ("region", 1, 2),
        ]  # fmt: skip
        assert [(one.event, one.annotation_id) for one in listed] == [(events[1], 3)]
        assert (count_failures(session), failed_annotation_ids(session, PROJECT)) == (3, {1, 2, 3})


def test_an_event_that_is_worked_on_again_has_its_new_failures_alone(database, events):
    with database.begin() as session:
        replace_failures(session, events[0], [failed(events[0], 2, "empty mask")])

        assert [(g.cause, g.n_answers) for g in failure_groups(session)] == [("choice", 1), ("empty mask", 1)]


def test_a_later_version_settles_the_earlier_ones_and_an_event_is_done_with_its_last(database, events):
    with database.begin() as session:
        settle_failures(session, PROJECT, 1, until=LATER, besides=events[1], now=NOW)
        assert event_counts(session) == {"new": 0, "done": 0, "failed": 2}
        settle_failures(session, PROJECT, 2, until=NOW, besides=events[1], now=NOW)

        assert event_counts(session) == {"new": 0, "done": 1, "failed": 1}
        assert failed_annotation_ids(session, PROJECT) == {3}


def test_an_earlier_version_another_project_and_the_same_event_settle_nothing(database, events):
    with database.begin() as session:
        settle_failures(session, PROJECT, 3, until=NOW, besides=0, now=NOW)
        settle_failures(session, "2.1", 1, until=LATER, besides=0, now=NOW)
        settle_failures(session, PROJECT, 1, until=LATER, besides=events[0], now=NOW)

        assert count_failures(session) == 3


def test_what_is_gone_is_settled_by_its_annotation_or_its_task(database, events):
    with database.begin() as session:
        settle_deleted(session, PROJECT, annotation_ids=[1], now=NOW)
        assert failed_annotation_ids(session, PROJECT) == {2, 3}
        settle_deleted(session, PROJECT, task_ids=[7], now=NOW)

        assert event_counts(session) == {"new": 0, "done": 2, "failed": 0}


def test_what_a_person_dismisses_is_off_the_list(database, events):
    with database.begin() as session:
        assert dismiss_failures(session, [events[0], 999], now=NOW) == 1

        assert failed_annotation_ids(session, PROJECT) == {3}
        assert event_counts(session) == {"new": 0, "done": 1, "failed": 1}

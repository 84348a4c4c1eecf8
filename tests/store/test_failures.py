"""An answer that cannot be read is counted by cause until it can be read, is given again or is deleted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ris.errors import InputError
from ris.store.claims import claim_new_events
from ris.store.failures import (
    FailedAnswer,
    count_failures,
    dismiss_failures,
    find_failed_annotation_ids,
    find_newest_failures,
    group_failures,
    replace_failures,
    resolve_failures,
    resolve_failures_of_deleted,
)
from ris.store.history import read_decisions
from ris.store.inbox import (
    count_events,
    mark_event_done,
    mark_event_failed,
    requeue_events,
)
from ris.store.inbox_writer import InboxEvent, InboxWriter
from ris.store.records import add_correction, add_deletion
from ris.store.session import Database, upgrade_database
from tests.builders.records import TASK, correction

NOW = datetime(2026, 1, 1, tzinfo=UTC)

PROJECT = "1.1700000000"
LATER = NOW + timedelta(minutes=1)


def failed(event, annotation_id, cause="choice", at=NOW):
    return FailedAnswer(event, cause, f"annotation {annotation_id}: no", PROJECT, 7, annotation_id, at)


@pytest.fixture
def events(database):
    """The numbers of two events: the first failed with answers 1 and 2, the second with answer 3."""
    writer = InboxWriter(database, now=lambda: NOW)
    writer.start()
    for number in (1, 2):
        writer.put(InboxEvent(f"{number:064}", "ANNOTATION_CREATED", "{}"))
    writer.close()
    with database.begin() as session:
        first, second = (number for number, _ in claim_new_events(session, limit=2))
        replace_failures(session, first, [failed(first, 1), failed(first, 2, "region")], now=NOW)
        replace_failures(session, second, [failed(second, 3, at=LATER)], now=NOW)
        for event in (first, second):
            mark_event_failed(session, event, "no", now=NOW)
    return first, second


def test_failures_are_grouped_by_cause_the_most_frequent_first(database, events):
    with database.begin() as session:
        groups = group_failures(session)
        listed = find_newest_failures(session, "choice", most=1)

        assert [(g.cause, g.n_answers, g.newest.annotation_id) for g in groups] == [
            ("choice", 2, 3), ("region", 1, 2),
        ]  # fmt: skip
        assert [(one.event, one.annotation_id) for one in listed] == [(events[1], 3)]
        assert (count_failures(session), find_failed_annotation_ids(session, PROJECT)) == (3, {1, 2, 3})


def test_an_event_that_is_worked_on_again_has_its_new_failures_alone(database, events):
    with database.begin() as session:
        replace_failures(session, events[0], [failed(events[0], 2, "empty mask")], now=NOW)

        assert [(g.cause, g.n_answers) for g in group_failures(session)] == [("choice", 1), ("empty mask", 1)]


def test_a_later_version_settles_the_earlier_ones_and_an_event_is_done_with_its_last(database, events):
    with database.begin() as session:
        resolve_failures(session, PROJECT, 1, until=LATER, besides=events[1], now=NOW)
        assert count_events(session) == {"new": 0, "done": 0, "failed": 2}
        resolve_failures(session, PROJECT, 2, until=NOW, besides=events[1], now=NOW)

        assert count_events(session) == {"new": 0, "done": 1, "failed": 1}
        assert find_failed_annotation_ids(session, PROJECT) == {3}


def test_an_earlier_version_another_project_and_the_same_event_settle_nothing(database, events):
    with database.begin() as session:
        resolve_failures(session, PROJECT, 3, until=NOW, besides=0, now=NOW)
        resolve_failures(session, "2.1", 1, until=LATER, besides=0, now=NOW)
        resolve_failures(session, PROJECT, 1, until=LATER, besides=events[0], now=NOW)

        assert count_failures(session) == 3


def test_what_is_gone_is_settled_by_its_annotation_or_its_task(database, events):
    with database.begin() as session:
        resolve_failures_of_deleted(session, PROJECT, annotation_ids=[1], now=NOW)
        assert find_failed_annotation_ids(session, PROJECT) == {2, 3}
        resolve_failures_of_deleted(session, PROJECT, task_ids=[7], now=NOW)

        assert count_events(session) == {"new": 0, "done": 2, "failed": 0}


def test_what_a_person_dismisses_is_off_the_list(database, events):
    with database.begin() as session:
        assert dismiss_failures(session, [events[0]], now=NOW) == 1

        assert find_failed_annotation_ids(session, PROJECT) == {3}
        assert count_events(session) == {"new": 0, "done": 1, "failed": 1}


@pytest.mark.parametrize("number", [999, 0, -1, 2**31, 2**70])
def test_a_number_that_no_event_has_is_told_and_nothing_is_changed(database, events, number):
    for change in (
        lambda session: dismiss_failures(session, [events[0], number], now=NOW),
        lambda session: requeue_events(session, [events[0], number]),
    ):
        with pytest.raises(InputError, match=f"there is no event {number};"), database.begin() as session:
            change(session)

    with database.begin() as session:
        assert count_failures(session) == 3
        assert count_events(session) == {"new": 0, "done": 0, "failed": 2}


def test_failures_of_one_project_are_counted_without_whole_events(database, events):
    with database.begin() as session:
        both = [FailedAnswer(events[1], "webhook", "no payload"), failed(events[1], 3)]
        replace_failures(session, events[1], both, now=NOW)

        assert count_failures(session) == 4
        assert count_failures(session, project=PROJECT) == 3
        assert count_failures(session, project="2.1") == 0


@pytest.mark.parametrize("at", [NOW, LATER])
def test_an_answer_that_fails_again_is_one_failure_the_newest(database, events, at):
    _, second = events
    with database.begin() as session:
        again = failed(second, 1, "picture size", at=at)
        assert replace_failures(session, second, [again], now=NOW) == [again]
        assert find_newest_failures(session, "picture size", most=9) == [again]
        assert (count_failures(session), find_failed_annotation_ids(session, PROJECT)) == (2, {1, 2})
        assert count_events(session) == {"new": 0, "done": 0, "failed": 2}

        replace_failures(session, second, [again, failed(second, 2)], now=NOW)
        assert count_events(session) == {"new": 0, "done": 1, "failed": 1}  # the first has none left
        assert count_failures(session) == 2


def test_an_older_version_that_fails_after_a_newer_one_failed_is_no_failure(database, events):
    first, _ = events
    with database.begin() as session:
        assert replace_failures(session, first, [failed(first, 3)], now=NOW) == []
        assert [one.updated_at for one in find_newest_failures(session, "choice", most=9)] == [LATER]


@pytest.mark.parametrize("seconds", [0, 1])
def test_a_version_that_fails_after_it_or_a_later_one_was_understood_is_no_failure(database, events, seconds):
    made = correction(4, seconds, task=replace(TASK, project=PROJECT))
    with database.begin() as session:
        add_correction(session, made, version="v1", event_id=None, now=NOW)
        late = failed(events[0], 4, at=made.annotation.updated_at - timedelta(seconds=seconds))
        assert replace_failures(session, events[0], [late], now=NOW) == []

        later = replace(late, updated_at=made.annotation.updated_at + timedelta(seconds=1))
        assert replace_failures(session, events[0], [later], now=NOW) == [later]


@pytest.mark.parametrize("gone", [{"annotation_ids": [1]}, {"task_ids": [7]}])
def test_an_answer_that_fails_after_it_was_deleted_is_no_failure(database, events, gone):
    with database.begin() as session:
        add_deletion(session, PROJECT, **gone, event_id=None, now=NOW)
        assert replace_failures(session, events[0], [failed(events[0], 1)], now=NOW) == []

        elsewhere = replace(failed(events[0], 1), project="2.1")
        assert replace_failures(session, events[0], [elsewhere], now=NOW) == [elsewhere]


def test_whole_events_are_a_failure_each(database, events):
    with database.begin() as session:
        for event in events:
            replace_failures(session, event, [FailedAnswer(event, "webhook", "no payload")], now=NOW)

        assert [(g.cause, g.n_answers) for g in group_failures(session)] == [("webhook", 2)]


VERSIONS = {
    1: {1: "understood", 2: "understood", 3: "failed"},
    2: {1: "failed", 2: "failed", 3: "understood"},
    3: {1: "understood", 2: "failed", 3: "failed"},
    4: {1: "failed", 2: "failed", 3: "deleted"},
    5: {1: "understood", 2: "failed", 3: "deleted"},
}
STEPS = [(number, at, what) for number, told in VERSIONS.items() for at, what in told.items()]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('failures') / 'ris.db'}"
    upgrade_database(url)
    database = Database.open(url)
    yield database
    database.close()


def take(session, project, event, step):
    """Process one event: its answer, or its deletion, and the failures that it resolves."""
    number, seconds, what = step
    at = NOW + timedelta(seconds=seconds)
    failures = []
    if what == "understood":
        made = correction(number, seconds, rank=seconds, task=replace(TASK, project=project))
        made = replace(made, annotation=replace(made.annotation, updated_at=at))
        add_correction(session, made, version="v1", event_id=None, now=NOW)
        resolve_failures(session, project, number, until=at, besides=event, now=NOW)
    elif what == "deleted":
        add_deletion(session, project, annotation_ids=[number], event_id=None, now=NOW)
        resolve_failures_of_deleted(session, project, annotation_ids=[number], now=NOW)
    else:
        failures = [replace(failed(event, number, at=at), project=project)]
    if replace_failures(session, event, failures, now=NOW):
        mark_event_failed(session, event, "no", now=NOW)
    else:
        mark_event_done(session, event, now=NOW)


RUNS = iter(range(10**9))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(STEPS), st.lists(st.sampled_from(STEPS), max_size=8))
def test_in_any_order_with_repeats_the_newest_version_alone_is_a_decision_or_a_failure(
    scratch, order, repeats
):
    run, steps = next(RUNS), [*order, *repeats]
    project = f"{run}.1"
    writer = InboxWriter(scratch, now=lambda: NOW)
    writer.start()
    for place in range(len(steps)):
        writer.put(InboxEvent(f"{run}-{place}", "ANNOTATION_UPDATED", "{}"))
    writer.close()
    with scratch.begin() as session:
        numbers = [number for number, _ in claim_new_events(session, limit=99)]
        for event, step in zip(numbers, steps, strict=True):
            take(session, project, event, step)
        found = {
            d.correction.annotation.annotation_id: d.correction.rank
            for d in read_decisions(session, project=project)
        }
        still_open = [
            one for one in find_newest_failures(session, "choice", most=10**6) if one.project == project
        ]

        assert found == {2: 3}
        assert sorted((one.annotation_id, one.updated_at) for one in still_open) == [
            (1, NOW + timedelta(seconds=3)), (3, NOW + timedelta(seconds=3)),
        ]  # fmt: skip
        assert count_events(session)["failed"] == count_failures(session)

from datetime import UTC, datetime, timedelta

from ris.store.sync_states import (
    SyncPosition,
    SyncState,
    clear_broken_webhook,
    find_sync_position,
    find_sync_states,
    forget_project,
    save_sync_failure,
    save_sync_position,
    save_sync_success,
    save_webhook_fault,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def read(database):
    with database.begin() as session:
        return find_sync_states(session)


def test_failures_in_a_row_are_counted_until_a_success(database):
    with database.begin() as session:
        save_sync_failure(session, 3, "no answer", at=NOW, is_missing=False)
        save_sync_failure(session, 3, "gone", at=LATER, is_missing=True)
        save_sync_success(session, 1, at=NOW)

    assert read(database) == [
        SyncState(1, last_success=NOW),
        SyncState(3, last_failure=LATER, failure="gone", n_failures=2, is_missing=True),
    ]
    with database.begin() as session:
        save_sync_success(session, 3, at=LATER)
    assert read(database)[1] == SyncState(3, last_success=LATER, last_failure=LATER)


def test_a_forgotten_project_is_taken_up_again_by_a_success(database):
    with database.begin() as session:
        save_sync_failure(session, 3, "gone", at=NOW, is_missing=True)
        forget_project(session, 3, at=NOW)
    assert [(one.forgotten_at, one.is_failing) for one in read(database)] == [(NOW, False)]

    with database.begin() as session:
        save_sync_success(session, 3, at=LATER)
    assert [one.forgotten_at for one in read(database)] == [None]


def test_a_state_is_said_in_words():
    assert SyncState(3).summary == "no success yet"
    assert SyncState(3, last_success=NOW).summary == "last success 2026-01-01 00:00 UTC"
    assert SyncState(3, NOW, LATER, "it is gone", 2).summary == (
        "last success 2026-01-01 00:00 UTC; failed 2 times in a row, last 2026-01-01 01:00 UTC: it is gone"
    )
    assert SyncState(3, None, NOW, "no", 1).summary == (
        "no success yet; failed once, last 2026-01-01 00:00 UTC: no"
    )
    assert SyncState(3, forgotten_at=NOW).summary == (
        "not synced since 2026-01-01 00:00 UTC, as `ris forget` said"
    )


def test_where_a_sync_ended_is_kept_with_the_microsecond_for_the_project_of_that_key(database):
    ended = SyncPosition("3.17", NOW.replace(microsecond=678901), "ab" * 32, "cd" * 32, LATER)
    with database.begin() as session:
        save_sync_success(session, 3, at=NOW)
        assert find_sync_position(session, 3, "3.17") is None
        save_sync_position(session, 3, ended)
    with database.begin() as session:
        assert find_sync_position(session, 3, "3.17") == ended
        assert find_sync_position(session, 3, "3.18") is None
        assert find_sync_position(session, 4, "3.17") is None


def test_a_broken_webhook_has_the_time_at_which_it_was_seen_first_until_it_works(database):
    with database.begin() as session:
        save_webhook_fault(session, 3, "refused", at=NOW, is_repaired=False)
        save_webhook_fault(session, 3, "refused", at=LATER, is_repaired=False)
    (broken,) = read(database)
    assert broken.has_broken_webhook
    assert broken.webhook_summary == "2026-01-01 00:00 UTC: refused; not repaired"
    with database.begin() as session:
        clear_broken_webhook(session, 3)
    (works,) = read(database)
    assert (works.has_broken_webhook, works.webhook_summary) == (False, "")


def test_a_webhook_that_was_repaired_stays_in_words_when_it_works_and_a_forgotten_project_is_not_broken(
    database,
):
    with database.begin() as session:
        save_webhook_fault(session, 3, "it is switched off", at=NOW, is_repaired=True)
        clear_broken_webhook(session, 3)
        save_webhook_fault(session, 4, "refused", at=NOW, is_repaired=False)
        forget_project(session, 4, at=LATER)
    repaired, forgotten = read(database)
    assert repaired.webhook_summary == "2026-01-01 00:00 UTC: it is switched off; repaired"
    assert not forgotten.has_broken_webhook

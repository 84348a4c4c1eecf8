import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from ris.errors import StoreError, StoreRefusal
from ris.store import inbox_writer
from ris.store.claims import claim_new_events
from ris.store.inbox import count_events
from ris.store.inbox_writer import InboxEvent, InboxWriter, _Arrival
from ris.store.schema import EventRow
from ris.store.session import Database
from tests.builders.records import NOW


@pytest.fixture
def writer(database):
    writer = InboxWriter(database, now=lambda: NOW)
    writer.start()
    yield writer
    writer.close()


def put(writer, number):
    return writer.put(make_inbox_event(number))


def make_inbox_event(number):
    return InboxEvent(f"{number:064d}", "ANNOTATION_CREATED", f'{{"number": {number}}}')


def test_events_from_many_threads_are_all_there_once(database, writer):
    with ThreadPoolExecutor(8) as pool:
        new = list(pool.map(lambda n: put(writer, n % 200), range(400)))

    with database.begin() as session:
        waiting = claim_new_events(session, limit=1000)
    assert sum(new) == 200
    assert sorted(body["number"] for _, body in waiting) == list(range(200))


def test_many_events_are_committed_together_and_stored_once(database, writer, monkeypatch):
    commits, commit = [], writer._commit
    monkeypatch.setattr(writer, "_commit", lambda batch: (commits.append(len(batch)), commit(batch))[1])
    put(writer, 7)

    assert writer.put_all(make_inbox_event(number) for number in range(500)) == 499
    assert writer.put_all([make_inbox_event(1)]) == writer.put_all([]) == 0
    assert len(commits) < 50
    with database.begin() as session:
        assert count_events(session)["new"] == 500


def test_large_events_do_not_wait_in_memory_all_at_once(writer, monkeypatch):
    monkeypatch.setattr(inbox_writer, "_MAX_SENT_BYTES", 100)
    sent, waited = [], []
    events = (sent.append(number) or make_inbox_event(number) for number in range(40))
    wait = writer._wait_for
    monkeypatch.setattr(writer, "_wait_for", lambda arrival: waited.append(len(sent)) or wait(arrival))

    assert writer.put_all(events) == 40
    assert waited[0] < 10


def test_a_writer_that_was_not_started_takes_no_event(database):
    with pytest.raises(RuntimeError, match="not started"):
        put(InboxWriter(database, now=lambda: NOW), 1)


def test_an_event_is_on_disk_when_the_call_returns(database, writer):
    put(writer, 1)

    with database.begin() as session:
        assert [body for _, body in claim_new_events(session, limit=5)] == [{"number": 1}]


def test_a_failing_database_fails_every_caller_and_the_writer_goes_on(database):
    writer = InboxWriter(database, now=lambda: NOW, patience_s=0.2)
    writer.start()
    with database.begin() as session:
        session.execute(text("ALTER TABLE event RENAME TO away"))
    with ThreadPoolExecutor(4) as pool:
        results = [pool.submit(put, writer, n) for n in range(8)]
    assert all(isinstance(r.exception(), StoreError) for r in results)

    with database.begin() as session:
        session.execute(text("ALTER TABLE away RENAME TO event"))
    put_until_stored(writer, 99)
    writer.close()
    with database.begin() as session:
        assert count_events(session)["new"] == 9


def test_what_a_locked_database_does_not_take_is_answered_in_time_and_stored_once_it_can(database, locked):
    writer = InboxWriter(database, now=lambda: NOW, patience_s=0.1)
    writer.start()
    with locked():
        with ThreadPoolExecutor(20) as pool:
            waiting = list(pool.map(lambda n: pool_put(writer, n), range(20)))
        with database.begin() as session:
            n_stored = sum(count_events(session).values())
    again = put_until_stored(writer, 0)
    put_until_stored(writer, 20)
    writer.close()
    with database.begin() as session:
        n_stored_later = sum(count_events(session).values())

    assert all(str(one).startswith("the event is not stored yet: ") for one in waiting)
    assert (n_stored, n_stored_later) == (0, 21)
    assert again is False


def pool_put(writer, number):
    """The error of `put`; None when the event was stored."""
    try:
        put(writer, number)
    except StoreError as error:
        return error


def put_until_stored(writer, number):
    while True:
        try:
            return put(writer, number)
        except StoreError:
            pass


def test_a_sender_does_not_wait_while_earlier_ones_have_waited_in_vain(database):
    writer = InboxWriter(database, now=lambda: NOW, patience_s=0.1)
    writer.start()
    with writer.lock:  # as when the database accepts connections and never answers
        pool_put(writer, 1)
        while time.monotonic() - writer._storing_since < 0.2:
            time.sleep(0.01)
        writer._patience_s, writer.last_arrival = 0.1, 0.0
        assert "waits in memory" in str(pool_put(writer, 2))
    writer.close()
    with database.begin() as session:
        assert count_events(session)["new"] == 2


def test_what_waits_in_memory_is_bounded(database, monkeypatch):
    monkeypatch.setattr(inbox_writer, "_MAX_WAITING_BYTES", 30)
    writer = InboxWriter(database, now=lambda: NOW, patience_s=0.1)
    writer.start()
    with writer.lock:
        kept, refused = pool_put(writer, 1), [pool_put(writer, n) for n in (2, 3)]
    writer.close()
    with database.begin() as session:
        n_stored = count_events(session)["new"]

    assert "waits in memory" in str(kept)
    assert [str(one)[:26] for one in refused][-1] == "the event is not kept: the"
    assert n_stored == 3 - sum("is not kept" in str(one) for one in refused)


def test_the_inbox_has_connections_of_its_own(url):
    database = Database.open(url, n_connections=1)
    writer = InboxWriter(database, now=lambda: NOW)
    writer.start()
    with database.begin() as session:
        count_events(session)
        assert put(writer, 1) is True
    writer.close()
    database.close()


def test_closing_writes_what_has_come(database):
    writer = InboxWriter(database, now=lambda: NOW)
    writer.start()
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(put, writer, n) for n in range(20)]
        assert all(w.result() for w in waiting)
    writer.close()

    with database.begin() as session:
        assert count_events(session)["new"] == 20


def test_a_value_that_the_database_refuses_costs_no_other_event_of_its_commit(database, writer, monkeypatch):
    whole, n_rows = writer._commit, []

    def refuse(batch):
        n_rows.append(len(batch))
        if any(arrival.digest == f"{3:064d}" for arrival in batch):
            raise StoreRefusal("the database refuses a value: half an emoji")
        return whole(batch)

    monkeypatch.setattr(writer, "_commit", refuse)
    batch = [_Arrival(f"{number:064d}", "X", "{}") for number in range(8)]
    writer._store(batch)
    outcomes = [one.is_new_future.exception() or one.is_new_future.result() for one in batch]

    assert n_rows == [8] + [1] * 8
    assert [one for one in outcomes if one is not True] == [outcomes[3]]
    assert str(outcomes[3]) == "the database refuses a value: half an emoji"


def test_a_value_of_the_wrong_kind_is_a_refusal(database):
    given = {
        "digest": "d",
        "received_at": NOW.replace(tzinfo=None),
        "action": "X",
        "body": {},
        "state": "new",
    }

    with pytest.raises(StoreRefusal, match="a time needs a time zone"), database.begin() as session:
        session.add(EventRow(**given))


def test_a_second_event_of_one_digest_is_a_refusal(database):
    given = {"digest": "d", "received_at": NOW, "action": "X", "body": {}, "state": "new"}
    with database.begin() as session:
        session.add(EventRow(**given))

    with pytest.raises(StoreRefusal, match="refuses a value"), database.begin() as session:
        session.add(EventRow(**given))


def test_a_database_without_its_tables_refuses_for_a_while(database):
    with database.begin() as session:
        session.execute(text("ALTER TABLE event RENAME TO away"))

    with pytest.raises(StoreError) as refused, database.begin() as session:
        claim_new_events(session, limit=1)

    assert not isinstance(refused.value, StoreRefusal)

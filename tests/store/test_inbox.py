from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from ris.errors import StoreError, StoreRefusal
from ris.store.inbox import (
    InboxWriter,
    _Arrival,
    count_events,
    find_new_events,
    mark_event_done,
    mark_event_failed,
)
from ris.store.schema import EventRow
from tests.builders.records import NOW


@pytest.fixture
def writer(database):
    writer = InboxWriter(database, now=lambda: NOW)
    writer.start()
    yield writer
    writer.close()


def put(writer, number):
    return writer.put(digest=f"{number:064d}", action="ANNOTATION_CREATED", body=f'{{"number": {number}}}')


def test_events_from_many_threads_are_all_there_once(database, writer):
    with ThreadPoolExecutor(8) as pool:
        new = list(pool.map(lambda n: put(writer, n % 200), range(400)))

    with database.begin() as session:
        waiting = find_new_events(session, limit=1000)
    assert sum(new) == 200
    assert sorted(body["number"] for _, body in waiting) == list(range(200))


def test_a_writer_that_was_not_started_takes_no_event(database):
    with pytest.raises(RuntimeError, match="not started"):
        put(InboxWriter(database, now=lambda: NOW), 1)


def test_an_event_is_on_disk_when_the_call_returns(database, writer):
    put(writer, 1)

    with database.begin() as session:
        assert [body for _, body in find_new_events(session, limit=5)] == [{"number": 1}]


def test_a_failing_database_fails_every_caller_and_the_writer_goes_on(database, writer):
    with database.begin() as session:
        session.execute(text("ALTER TABLE event RENAME TO away"))
    with ThreadPoolExecutor(4) as pool:
        results = [pool.submit(put, writer, n) for n in range(8)]
    assert all(isinstance(r.exception(), StoreError) for r in results)

    with database.begin() as session:
        session.execute(text("ALTER TABLE away RENAME TO event"))
    assert put(writer, 99) is True


def test_closing_writes_what_has_come(database):
    writer = InboxWriter(database, now=lambda: NOW)
    writer.start()
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(put, writer, n) for n in range(20)]
        assert all(w.result() for w in waiting)
    writer.close()

    with database.begin() as session:
        assert count_events(session)["new"] == 20


def test_events_wait_oldest_first_until_they_are_done_or_failed(database, writer):
    for number in range(3):
        put(writer, number)
    with database.begin() as session:
        first, second, third = (event_id for event_id, _ in find_new_events(session, limit=10))
        mark_event_done(session, first, now=NOW)
        mark_event_failed(session, second, "it says nothing", now=NOW)

    with database.begin() as session:
        assert [event_id for event_id, _ in find_new_events(session, limit=10)] == [third]
        assert count_events(session) == {"new": 1, "done": 1, "failed": 1}


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
        find_new_events(session, limit=1)

    assert not isinstance(refused.value, StoreRefusal)

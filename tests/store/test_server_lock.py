"""A SQLite database serves one server."""

import subprocess
import sys

import pytest

from ris.errors import StoreError
from ris.store.server_lock import ServerLock

HOLD = """
import sys
from ris.store.server_lock import ServerLock
lock = ServerLock(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def url(tmp_path):
    (tmp_path / "ris.db").touch()
    return f"sqlite:///{tmp_path / 'ris.db'}"


def test_a_second_server_of_a_sqlite_database_is_refused_until_the_first_ends(url):
    first = ServerLock(url)

    with pytest.raises(StoreError, match=r"another server uses the database .*ris\.db already.*PostgreSQL"):
        ServerLock(url)
    first.release()
    ServerLock(url).release()


def test_the_same_database_under_another_name_is_refused_too(url, tmp_path):
    (tmp_path / "link.db").symlink_to(tmp_path / "ris.db")
    first = ServerLock(url)

    with pytest.raises(StoreError, match="another server"):
        ServerLock(f"sqlite:///{tmp_path / 'link.db'}")
    first.release()


def test_a_server_that_was_killed_has_no_lock(url):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(StoreError, match="another server"):
        ServerLock(url)
    holder.kill()
    holder.communicate()

    ServerLock(url).release()


def test_a_file_that_cannot_be_locked_is_refused_with_what_to_do(tmp_path):
    (tmp_path / "ris.db").touch()
    (tmp_path / "ris.db.server").mkdir()

    with pytest.raises(StoreError, match="cannot lock the database .* put it on a local disk"):
        ServerLock(f"sqlite:///{tmp_path / 'ris.db'}")


def test_postgresql_serves_several_servers():
    first, second = (ServerLock("postgresql://somebody@localhost/ris") for _ in range(2))

    first.release()
    second.release()

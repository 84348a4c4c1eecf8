import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from ris.errors import StoreError
from ris.store.inbox import count_events
from ris.store.records import add_once
from ris.store.schema import ImageRow
from ris.store.session import Database, read_revision, upgrade_database
from tests.builders.records import NOW

ROOT = Path(__file__).parents[2]


def run(url, statement):
    address = make_url(url)
    if address.drivername == "postgresql":
        address = address.set(drivername="postgresql+psycopg")
    engine = create_engine(address)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_a_sqlite_file_that_is_not_there_says_how_to_make_it(tmp_path):
    with pytest.raises(StoreError, match="nothing.db is not there: run `ris db upgrade`"):
        Database.open(f"sqlite:///{tmp_path / 'nothing.db'}")


def test_a_server_that_cannot_be_reached_is_one_sentence_without_the_password():
    with pytest.raises(StoreError, match="cannot open the database postgresql") as caught:
        Database.open("postgresql://ris:very-secret@127.0.0.1:1/ris")

    assert "very-secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["nonsense", "mysql://x/y", ""])
def test_an_address_of_another_kind_is_refused(url):
    with pytest.raises(StoreError, match="RIS_DATABASE_URL"):
        Database.open(url)


def test_an_empty_database_says_which_revision_is_needed(empty_url):
    if empty_url.startswith("sqlite"):
        run(empty_url, "CREATE TABLE something (x INTEGER)")

    with pytest.raises(StoreError, match="is at revision none, this program needs .*: run `ris db upgrade`"):
        Database.open(empty_url)


def test_a_database_of_a_newer_program_is_not_touched(url):
    run(url, "UPDATE alembic_version SET version_num = 'f00d'")

    with pytest.raises(StoreError, match="is at revision f00d, newer than this one: upgrade the program"):
        Database.open(url)


def test_a_read_only_postgresql_says_so(postgres):
    postgres.psql("CREATE DATABASE only_read;")
    address = make_url(postgres.get_uri()).set(database="only_read").render_as_string(hide_password=False)
    upgrade_database(address)
    run(address, "ALTER DATABASE only_read SET default_transaction_read_only = on")

    with pytest.raises(StoreError, match="the database .* is read-only: .*; let this user write to it"):
        Database.open(address)


def test_a_read_only_sqlite_says_so(tmp_path, monkeypatch):
    """Through the driver's own read-only mode: file permissions do not stop root, as in containers."""
    upgrade_database(f"sqlite:///{tmp_path / 'ris.db'}")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file:ris.db").touch()  # the path, if the address below were read as one

    with pytest.raises(StoreError, match="the database .* is read-only: .*; let this user write to it"):
        Database.open("sqlite:///file:ris.db?mode=ro&uri=true")


def test_upgrading_twice_changes_nothing(url):
    before = read_revision(url)
    upgrade_database(url)

    assert read_revision(url) == before is not None


@pytest.mark.parametrize("statements", [1, 15, 25])
def test_an_upgrade_that_is_stopped_anywhere_is_done_by_the_next_one(empty_url, statements):
    """The process ends at once, as with a power cut: nothing is rolled back by Python."""
    stopped = subprocess.run(
        [sys.executable, "-c", STOPPED, empty_url, str(statements)],
        env=os.environ | {"PYTHONPATH": str(ROOT / "backend")},
    )
    assert stopped.returncode == 9
    assert read_revision(empty_url) is None

    upgrade_database(empty_url)

    Database.open(empty_url).close()


STOPPED = """
import os, sys
from sqlalchemy import Engine, event
from ris.store.session import upgrade_database

def stop(connection, cursor, statement, *_):
    global left
    left -= statement.split()[0] in ("CREATE", "ALTER", "DROP", "INSERT", "UPDATE")
    if not left:
        os._exit(9)

left = int(sys.argv[2])
event.listen(Engine, "after_cursor_execute", stop)
upgrade_database(sys.argv[1])
"""


def test_a_transaction_that_fails_leaves_nothing_behind(database):
    def fail_half_way():
        with database.begin() as session:
            add_once(session, ImageRow, digest="ab", height=1, width=1, first_seen=NOW)
            raise KeyError("something else went wrong")

    with pytest.raises(KeyError):
        fail_half_way()

    with database.begin() as session:
        assert session.get(ImageRow, "ab") is None


def test_what_the_database_refuses_is_our_error(database):
    with pytest.raises(StoreError, match="the database refused"), database.begin() as session:
        session.execute(text("SELECT * FROM there_is_no_such_table"))


def test_a_new_database_holds_no_events(database):
    with database.begin() as session:
        assert count_events(session) == {"new": 0, "done": 0, "failed": 0}


def test_each_thread_has_a_connection_and_one_more_waits_a_bounded_time(url):
    database, all_there = Database.open(url, n_connections=8, lock_wait_s=0.2), threading.Barrier(8)

    def use(_):
        with database.begin() as session:
            count_events(session)
            all_there.wait()
            all_there.wait()

    with ThreadPoolExecutor(8) as pool:
        used = [pool.submit(use, number) for number in range(7)]
        with database.begin() as session:
            count_events(session)
            all_there.wait()
            with pytest.raises(StoreError, match="the database refused"), database.begin() as another:
                count_events(another)
            all_there.wait()
        assert [one.exception() for one in used] == [None] * 7
    database.close()


def test_a_database_that_somebody_else_has_locked_is_waited_for_a_bounded_time(url, locked):
    database = Database.open(url, lock_wait_s=0.2)
    with locked():
        with database.begin() as session:
            count_events(session)  # reading goes on
        with pytest.raises(StoreError, match="the database refused: .*lock"):
            database.check_writable()
    database.check_writable()
    database.close()

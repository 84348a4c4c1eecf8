"""Every store test runs on SQLite and on a real PostgreSQL."""

import pytest

from ris.store.session import Database


@pytest.fixture
def database(url):
    database = Database.open(url)
    yield database
    database.close()

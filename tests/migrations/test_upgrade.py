"""The migrations make exactly the schema, on both databases, and can be taken back."""

from importlib.resources import files

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, make_url

from backend.store.schema import Table
from backend.store.session import upgrade
from tests.store.conftest import empty_url, postgres

__all__ = ["empty_url", "postgres"]


@pytest.fixture
def engine(empty_url):
    address = make_url(empty_url)
    if address.drivername == "postgresql":
        address = address.set(drivername="postgresql+psycopg")
    engine = create_engine(address)
    yield engine
    engine.dispose()


def test_an_upgraded_empty_database_equals_the_schema(empty_url, engine):
    upgrade(empty_url)

    with engine.connect() as connection:
        difference = compare_metadata(MigrationContext.configure(connection), Table.metadata)

    assert difference == []


def test_every_migration_can_be_taken_back_and_made_again(empty_url, engine):
    upgrade(empty_url)
    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        connection.commit()

    assert set(inspect(engine).get_table_names()) == {"alembic_version"}
    upgrade(empty_url)
    assert set(inspect(engine).get_table_names()) == {*Table.metadata.tables, "alembic_version"}

"""The migrations make exactly the schema, on both databases, can be undone, and stay as they are."""

import ast
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, make_url, select

from benchmarks.records import fill_database
from ris.core.types import Task
from ris.store.known_images import find_known_images
from ris.store.records import add_alternatives
from ris.store.schema import BaseRow, CorrectionRow, TallyRow
from ris.store.session import Database, upgrade_database


@pytest.fixture
def engine(empty_url):
    address = make_url(empty_url)
    if address.drivername == "postgresql":
        address = address.set(drivername="postgresql+psycopg")
    engine = create_engine(address)
    yield engine
    engine.dispose()


def take_back(engine, revision):
    """Downgrade the database to a revision."""
    config = Config()
    config.set_main_option("script_location", str(files("ris.migrations")))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        config.attributes["metadata"] = BaseRow.metadata
        command.downgrade(config, revision)
        connection.commit()


def test_an_upgraded_empty_database_equals_the_schema(empty_url, engine):
    upgrade_database(empty_url)

    with engine.connect() as connection:
        difference = compare_metadata(MigrationContext.configure(connection), BaseRow.metadata)

    assert difference == []


VERSIONS = sorted((Path(__file__).parents[2] / "migrations" / "versions").glob("*.py"))


@pytest.mark.parametrize("path", VERSIONS, ids=[path.stem for path in VERSIONS])
def test_a_migration_does_not_change_with_the_program(path):
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])

    assert "ris" not in imported


def test_every_migration_can_be_taken_back_and_made_again(empty_url, engine):
    upgrade_database(empty_url)
    take_back(engine, "base")

    assert set(inspect(engine).get_table_names()) == {"alembic_version"}
    upgrade_database(empty_url)
    assert set(inspect(engine).get_table_names()) == {*BaseRow.metadata.tables, "alembic_version"}


def test_the_pictures_of_tasks_that_were_answered_before_are_found_by_their_addresses(empty_url, engine):
    upgrade_database(empty_url)
    task = Task(7, "9.1700000000", "/data/upload/9/a.png", "the mug")
    at = datetime(2026, 1, 2, tzinfo=UTC)
    database = Database.open(empty_url)
    with database.begin() as session:
        for version in ("v1", "v2"):
            add_alternatives(session, task, "ab" * 32, (9, 14), (), version=version, method_scores=(), now=at)
    database.close()
    take_back(engine, "0004")

    upgrade_database(empty_url)

    other = Task(8, "10.1800000000", "upload/9/a.png", "the cat")
    database = Database.open(empty_url)
    with database.begin() as session:
        ((picture,),) = find_known_images(session, [other])
    database.close()
    assert (picture.digest, picture.size, picture.seen_at) == ("ab" * 32, (9, 14), at)


def test_the_versions_that_count_are_flagged_and_tallied_by_an_upgrade(empty_url, engine):
    fill_database(empty_url, 300, seed=4)
    before = (
        read_rows(engine, CorrectionRow.id, CorrectionRow.is_current),
        read_rows(engine, *TallyRow.__table__.columns),
    )
    take_back(engine, "0007")

    upgrade_database(empty_url)

    assert (
        read_rows(engine, CorrectionRow.id, CorrectionRow.is_current),
        read_rows(engine, *TallyRow.__table__.columns),
    ) == before
    assert sum(row[-1] for row in before[1]) == sum(row[-1] for row in before[0]) > 250


def read_rows(engine, *what):
    with engine.connect() as connection:
        return sorted(map(tuple, connection.execute(select(*what)).all()))

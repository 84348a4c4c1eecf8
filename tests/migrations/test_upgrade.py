"""The migrations make exactly the schema, on both databases, can be undone, and stay as they are."""

import ast
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, create_engine, insert, inspect, make_url, select, text

from benchmarks.records import fill_database
from benchmarks.upgrading import downgrade_database, measure_upgrade
from ris.core.types import Task
from ris.labelstudio.stored_body import redact_event, to_canonical_json
from ris.store.known_images import find_known_images
from ris.store.records import add_alternatives
from ris.store.schema import BaseRow, CorrectionRow, EventRow, ProjectRow, TallyRow, WebhookTokenRow
from ris.store.session import Database, upgrade_database
from tests.builders.services import NOW


@pytest.fixture
def engine(empty_url):
    address = make_url(empty_url)
    if address.drivername == "postgresql":
        address = address.set(drivername="postgresql+psycopg")
    engine = create_engine(address)
    yield engine
    engine.dispose()


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
    downgrade_database(empty_url, "base")

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
    downgrade_database(empty_url, "0004")

    upgrade_database(empty_url)

    other = Task(8, "10.1800000000", "upload/9/a.png", "the cat")
    database = Database.open(empty_url)
    with database.begin() as session:
        ((picture,),) = find_known_images(session, [other])
    database.close()
    assert (picture.digest, picture.size, picture.seen_at) == ("ab" * 32, (9, 14), at)


S = "S3cr3tV4lue"
ADDRESS = "https://bucket/a.png?X-Amz-Signature=abc"


def make_event(number):
    """An event as an older program stored it: it dropped the field "token" and few others."""
    return {
        "action": "ANNOTATION_CREATED",
        "number": number,
        "task": {"id": number, "data": {"image": ADDRESS, "client_secret": S, "expression": "the token"}},
        "project": {"id": 1, "label_config": "<View/>", "aws_secret_access_key": S},
        "hook": {"url": f"https://u:{S}@h/", "headers": {"X-Api-Key": S}, "text": json.dumps({"jwt": S})},
    }


def dump_tables(engine):
    """All that the tables hold, as one text."""
    with engine.connect() as connection:
        tables = [table for _, table in sorted(reflect_tables(engine).items())]
        return repr(
            [tuple(row) for t in tables for row in connection.execute(text(f'SELECT * FROM "{t.name}"'))]
        )


def reflect_tables(engine):
    """The tables as they are in the database, which may be of an older revision than the program's."""
    metadata = MetaData()
    metadata.reflect(engine)
    return metadata.tables


def fill_with_secrets(engine):
    at = datetime(2026, 1, 2, tzinfo=UTC)
    events = [
        {
            "digest": f"{number:064x}", "received_at": at, "action": "x", "body": make_event(number),
            "state": "failed", "error": f"cannot read https://u:{S}@h/",
        }
        for number in range(1, 121)
    ]  # fmt: skip
    tables = reflect_tables(engine)
    with engine.begin() as connection:
        connection.execute(tables["event"].insert(), events)
        number = connection.scalar(select(EventRow.id).limit(1))
        connection.execute(
            tables["failure"].insert(),
            {"event": number, "cause": "other", "sentence": f"client_secret={S}"},
        )
        connection.execute(
            tables["project"].insert(),
            {
                "key": "1.2", "label_config": "<View/>", "extra_params": {"a": {"private_key": S}, "b": 1},
                "first_seen": at, "last_seen": at,
            },
        )  # fmt: skip
        for annotation, address in enumerate([f"https://u:{S}@h/a.png", ADDRESS]):
            connection.execute(
                tables["correction"].insert(),
                {
                    "project": "1.2", "annotation_id": annotation, "updated_at": at, "task_id": 1,
                    "image_url": address, "expression": "the token", "cancelled": False, "region_ids": [],
                    "verdict": "accepted", "recorded_at": at,
                },
            )  # fmt: skip


def test_secrets_that_were_stored_are_removed_and_everything_else_stays(empty_url, engine):
    upgrade_database(empty_url)
    downgrade_database(empty_url, "0007")
    fill_with_secrets(engine)
    engine.dispose()
    assert S in dump_tables(engine)

    upgrade_database(empty_url)

    assert S not in dump_tables(engine)
    with engine.connect() as connection:
        bodies = list(connection.scalars(select(EventRow.body).order_by(EventRow.id)))
        digests = set(connection.scalars(select(EventRow.digest)))
        params = connection.scalar(select(ProjectRow.extra_params))
        addresses = list(connection.scalars(select(CorrectionRow.image_url).order_by(CorrectionRow.id)))
    assert bodies == [redact_event(make_event(number)) for number in range(1, 121)]
    assert digests == {hashlib.sha256(to_canonical_json(body).encode()).hexdigest() for body in bodies}
    assert params == {"a": {"private_key": "***"}, "b": 1}
    assert addresses == ["https://***@h/a.png", ADDRESS]


def test_a_clean_database_is_cleaned_again_without_a_change(empty_url, engine):
    upgrade_database(empty_url)
    downgrade_database(empty_url, "0007")
    fill_with_secrets(engine)
    engine.dispose()
    upgrade_database(empty_url)
    before = dump_tables(engine)
    downgrade_database(empty_url, "0007")
    engine.dispose()

    upgrade_database(empty_url)

    assert dump_tables(engine) == before


def test_the_old_text_is_not_left_in_the_file_of_sqlite(tmp_path):
    url = f"sqlite:///{tmp_path / 'ris.db'}"
    engine = create_engine(url)
    upgrade_database(url)
    downgrade_database(url, "0007")
    fill_with_secrets(engine)
    engine.dispose()

    upgrade_database(url)

    assert {p.name for p in tmp_path.iterdir() if S.encode() in p.read_bytes()} == set()


def test_the_versions_that_count_are_flagged_and_tallied_by_an_upgrade(empty_url, engine):
    fill_database(empty_url, 300, seed=4)
    before = (
        read_rows(engine, CorrectionRow.id, CorrectionRow.is_current),
        read_rows(engine, *TallyRow.__table__.columns),
    )
    downgrade_database(empty_url, "0010")

    upgrade_database(empty_url)

    assert (
        read_rows(engine, CorrectionRow.id, CorrectionRow.is_current),
        read_rows(engine, *TallyRow.__table__.columns),
    ) == before
    assert sum(row[-1] for row in before[1]) == sum(row[-1] for row in before[0]) > 250


def test_the_webhooks_of_all_projects_on_record_keep_their_computed_token(empty_url, engine):
    upgrade_database(empty_url)
    downgrade_database(empty_url, "0012")
    keys = ("3.1700000000", "3.1800000000", "12.1", "99999999999999.1", "odd", "", ".5", "٣.1", "-4.1")
    with engine.begin() as connection:
        row = {"label_config": "", "extra_params": {}, "first_seen": NOW, "last_seen": NOW}
        connection.execute(insert(ProjectRow), [{"key": key, **row} for key in keys])

    upgrade_database(empty_url)

    assert read_rows(engine, WebhookTokenRow.project, WebhookTokenRow.digest) == [(3, None), (12, None)]


@pytest.mark.program
def test_a_filled_record_is_whole_after_an_upgrade_and_after_upgrades_that_were_killed(empty_url):
    kind, _, _, _, n_killed = measure_upgrade("any", empty_url, 600)  # raises if a row differs

    assert (kind, int(n_killed)) > ("any", 0)


def read_rows(engine, *what):
    with engine.connect() as connection:
        return sorted(map(tuple, connection.execute(select(*what)).all()))

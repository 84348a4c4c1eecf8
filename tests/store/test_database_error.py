"""What a database's error becomes: the driver's first line, without SQL and values."""

import logging
import threading

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import PendingRollbackError, SQLAlchemyError, StatementError

from ris.errors import StoreError
from ris.store.database_error import describe_database_error
from ris.store.inbox_writer import InboxEvent, InboxWriter
from ris.store.schema import EventRow
from ris.store.session import Database, upgrade_database
from ris.web.logs import start_logging
from tests.builders.postgres import new_database
from tests.builders.services import NOW

SECRET = "S3cr3tV4lue"


@pytest.fixture
def postgres_url(postgres):
    url = new_database(postgres)
    upgrade_database(url)
    return url


def refuse(url, statement, **values):
    """Return the sentence for a statement that the database refuses."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    try:
        with engine.begin() as connection:
            connection.execute(text(statement), values)
    except SQLAlchemyError as error:
        return describe_database_error(error)
    finally:
        engine.dispose()
    raise AssertionError("the database took it")


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("SELECT CAST(:v AS json)", "invalid input syntax for type json"),
        ("SELECT CAST(:v AS integer)", "invalid input syntax for type integer"),
        ("SELECT CAST(:v AS timestamp)", "invalid input syntax for type timestamp"),
        ("SELECT 1 FROM no_such_table WHERE a = :v", 'relation "no_such_table" does not exist'),
        (
            "INSERT INTO event (received_at, digest, action, state) VALUES (now(), :v, 'a', 'new')",
            'null value in column "body" of relation "event" violates not-null constraint',
        ),
        (
            "INSERT INTO event (received_at, digest, action, body, state) "
            "VALUES (now(), repeat(:v, 9), 'a', '1', 'n')",
            "value too long for type character varying(64)",
        ),
    ],
)  # fmt: skip
def test_postgresql_says_its_first_line_without_the_value(postgres_url, statement, sentence):
    assert refuse(postgres_url, statement, v=SECRET) == sentence


def test_two_equal_rows_are_refused_without_the_row(url):
    row = "INSERT INTO deletion (project, kind, gone_id, recorded_at) VALUES (:v, 'task', 1, '2026-01-01')"

    said = refuse(url, f"{row}, (:v, 'task', 1, '2026-01-01')", v=SECRET)

    assert "unique" in said.lower()
    assert SECRET not in said
    assert "INSERT" not in said


def test_an_error_without_a_driver_has_no_statement():
    error = PendingRollbackError(
        f"rolled back (Background on this error at: https://x)\n[SQL: INSERT {SECRET}]"
    )
    assert describe_database_error(error) == "rolled back"
    inside = StatementError("bad", f"INSERT {SECRET}", {"a": SECRET}, ValueError(f"no date\n{SECRET}"))
    assert describe_database_error(inside) == "no date"


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_neither_the_sentence_nor_the_log_shows_sql_or_a_part_of_a_body(url, log_format, capsys):
    database = Database.open(url)
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    start_logging("INFO", log_format)
    try:
        with pytest.raises(StoreError) as caught, database.begin() as session:
            event = {"digest": "a" * 64, "received_at": NOW, "action": "a", "state": "new"}
            session.add(EventRow(body={"token": SECRET}, error=None, processed_at=None, **event))
            session.add(EventRow(body={"token": SECRET}, error=SECRET, processed_at=None, **event))
        logging.getLogger("ris").error("failed: %s", caught.value, exc_info=caught.value)
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers
        logging.raiseExceptions, threading.excepthook = True, threading.__excepthook__
        database.close()
    text = f"{caught.value}{capsys.readouterr().err}"
    assert "the database refuses a value: " in text
    assert "IntegrityError" in text or "UniqueViolation" in text
    for part in (SECRET, "INSERT", "[SQL", "[parameters", "DETAIL"):
        assert part not in text


def test_an_event_that_cannot_be_stored_is_refused_without_a_part_of_it(postgres_url, caplog):
    database = Database.open(postgres_url)
    writer = InboxWriter(database, now=lambda: NOW)
    writer.start()
    try:
        with pytest.raises(StoreError) as caught:
            writer.put(InboxEvent("a" * 64, "a", f'{{"token": {SECRET}'))
    finally:
        writer.close()
        database.close()
    assert str(caught.value) == "the database refuses a value: invalid input syntax for type json"
    assert SECRET not in caplog.text
    assert "INSERT" not in caplog.text

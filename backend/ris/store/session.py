"""Open the database: check that it is reachable, writable and at this program's revision."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    OperationalError,
    SQLAlchemyError,
    StatementError,
)
from sqlalchemy.orm import Session, sessionmaker

from ris.errors import StoreError, StoreRefusal
from ris.store.database_url import parse_database_url, redact_database_url
from ris.store.schema import BaseRow

__all__ = ["Database", "Session", "read_revision", "upgrade_database"]

_UPGRADE_ADVICE = "run `ris db upgrade`"
_VALUE_SQLSTATES = ("22", "23", "54")  # of PostgreSQL: data, integrity, and program limits


class Database:
    """An open database. `Database.open` opens it, `close` closes it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sessions = sessionmaker(engine)

    @classmethod
    def open(cls, url: str) -> "Database":
        """Open a database, and check it.

        Args:
            url: sqlite:///file, or postgresql://user@host/name with the password in PGPASSWORD.

        Raises:
            StoreError: it does not exist, cannot be reached, is read-only or is at another revision.
        """
        address = parse_database_url(url)
        if address.get_backend_name() == "sqlite" and not Path(address.database or "").is_file():
            raise StoreError(f"the database {address.database} is not there: {_UPGRADE_ADVICE}")
        engine = _make_engine(address)
        try:
            _check_database(engine)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine)

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """Begin a session in one transaction; an error rolls all of it back.

        Raises:
            StoreError: the database cannot be used; SQLAlchemy's errors do not leave this folder.
            StoreRefusal: it refuses a value.
        """
        try:
            with self._sessions.begin() as session:
                yield session
        except SQLAlchemyError as error:
            raise _to_store_error(error) from error

    @contextmanager
    def begin_connection(self) -> Iterator[Connection]:
        """Begin one transaction without the ORM, for frequent writes.

        Raises:
            StoreError: the database cannot be used.
            StoreRefusal: it refuses a value.
        """
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise _to_store_error(error) from error

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def upgrade_database(url: str) -> None:
    """Create the database, or upgrade it to this program's revision, in one transaction.

    Args:
        url: as for `Database.open`.

    Raises:
        StoreError: it cannot be reached or written.
    """
    engine = _make_engine(parse_database_url(url))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "begin", _begin_immediate)
    try:
        with as_file(files("ris.migrations")) as folder, engine.begin() as connection:
            command.upgrade(_make_config(folder, connection), "head")
    except SQLAlchemyError as error:
        raise StoreError(
            f"cannot upgrade the database {redact_database_url(engine.url)}: {_format_error(error)}"
        ) from error
    finally:
        engine.dispose()


def read_revision(url: str) -> str | None:
    """Return the revision of the database; None when it is empty."""
    engine = _make_engine(parse_database_url(url))
    try:
        return _read_revision(engine)
    finally:
        engine.dispose()


def _make_engine(address: URL) -> Engine:
    if address.get_backend_name() != "sqlite":
        return create_engine(address, pool_pre_ping=True)
    engine = create_engine(address, connect_args={"timeout": 30})
    event.listen(engine, "connect", _set_up_sqlite)
    return engine


def _set_up_sqlite(connection: Any, _: object) -> None:
    """Set WAL, so that readers do not wait for a writer, and FULL, so that commits survive a power cut."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    """Begin a transaction: Python's sqlite3 begins none for CREATE TABLE, and half an upgrade could stay."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _check_database(engine: Engine) -> None:
    shown = redact_database_url(engine.url)
    try:
        revision = _read_revision(engine)
    except SQLAlchemyError as error:
        raise StoreError(f"cannot open the database {shown}: {_format_error(error)}") from error
    script = _load_script()
    head = script.get_current_head()
    if revision != head:
        known = {entry.revision for entry in script.walk_revisions()}
        if revision is not None and revision not in known:
            raise StoreError(
                f"the database {shown} is at revision {revision}, newer than this one: upgrade the program"
            )
        raise StoreError(
            f"the database {shown} is at revision {revision or 'none'}, this program needs {head}: "
            f"{_UPGRADE_ADVICE}"
        )
    try:
        _check_writable(engine)
    except SQLAlchemyError as error:
        raise StoreError(
            f"the database {shown} is read-only: {_format_error(error)}; let this user write to it"
        ) from error


def _read_revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _check_writable(engine: Engine) -> None:
    """Write, and roll back."""
    with engine.connect() as connection:
        connection.execute(text("UPDATE event SET state = state WHERE id < 0"))
        if engine.dialect.name == "sqlite":
            connection.execute(text("CREATE TABLE write_check (x INTEGER)"))
        connection.rollback()


def _load_script() -> ScriptDirectory:
    with as_file(files("ris.migrations")) as folder:
        return ScriptDirectory.from_config(_make_config(folder))


def _make_config(folder: Path, connection: Any = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["metadata"] = BaseRow.metadata
    return config


def _to_store_error(error: SQLAlchemyError) -> StoreError:
    """Convert an error: one of the values is a StoreRefusal, and every other may pass."""
    sqlstate = str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")
    is_unbound = isinstance(error, StatementError) and not isinstance(error, DBAPIError)  # before it was sent
    is_refusal = is_unbound or isinstance(error, DataError | IntegrityError)
    if is_refusal or sqlstate[:2] in _VALUE_SQLSTATES:
        return StoreRefusal(f"the database refuses a value: {_format_error(error)}")
    return StoreError(f"the database refused: {_format_error(error)}")


def _format_error(error: SQLAlchemyError) -> str:
    """Return the database's message on one line, at most 300 characters."""
    original = getattr(error, "orig", None) if isinstance(error, OperationalError) else None
    return " ".join(str(original or error).split())[:300]

"""See which statements a piece of code sends to the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session


@contextmanager
def record_statements(session: Session) -> Iterator[list[tuple[str, Any]]]:
    """Collect the SQL and the parameters of every statement that is sent inside the block."""
    sent: list[tuple[str, Any]] = []

    def keep_statement(connection, cursor, statement, parameters, context, executemany):
        sent.append((statement, parameters))

    event.listen(session.get_bind(), "before_cursor_execute", keep_statement)
    try:
        yield sent
    finally:
        event.remove(session.get_bind(), "before_cursor_execute", keep_statement)

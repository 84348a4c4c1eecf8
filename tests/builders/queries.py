"""See which statements a piece of code sends to the database."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event
from sqlalchemy.orm import Session


@contextmanager
def record_statements(session: Session) -> Iterator[list[str]]:
    """Collect the SQL of every statement that is sent inside the block."""
    sent: list[str] = []

    def keep_statement(connection, cursor, statement, parameters, context, executemany):
        sent.append(statement)

    event.listen(session.get_bind(), "before_cursor_execute", keep_statement)
    try:
        yield sent
    finally:
        event.remove(session.get_bind(), "before_cursor_execute", keep_statement)

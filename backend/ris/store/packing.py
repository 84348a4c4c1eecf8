"""Compress what earlier versions stored as text, a page in each transaction."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, literal, select, type_coerce, update
from sqlalchemy.orm import InstrumentedAttribute

from ris.store.compressed_json import COMPRESSED_MARK, RawBytes, compress_json, decompress_json
from ris.store.schema import ProposalsRow, TaskRow
from ris.store.session import Database, Session

_ROWS_PER_PAGE = 500


def compress_old_rows(database: Database) -> Iterator[int]:
    """Compress the masks and explanations that are text; yield the number of each page.

    It can be stopped and started again: pages that are done stay done. Memory does not grow with the record.
    A running server can read and write meanwhile.

    Args:
        database: after an upgrade from a version that stored them as text.
    """
    yield from _compress_column(database, ProposalsRow.key, ProposalsRow.masks, "")
    yield from _compress_column(database, TaskRow.id, TaskRow.explained, 0)


def _compress_column(
    database: Database, key: InstrumentedAttribute[Any], column: InstrumentedAttribute[Any], last: Any
) -> Iterator[int]:
    while True:
        with database.begin() as session:
            rows = _read_page(session, key, column, last)
            if not rows:
                return
            old = [{"at": at, "packed": compress_json(decompress_json(stored))} for at, stored in rows]
            table = column.class_.__table__
            change = update(table).where(table.c[key.key] == bindparam("at"))
            packed = {column.key: bindparam("packed", type_=RawBytes())}
            session.connection().execute(change.values(packed), old)
        last = rows[-1][0]
        yield len(old)


def _read_page(session: Session, key: Any, column: Any, last: Any) -> list[tuple[Any, bytes | str]]:
    stored = type_coerce(column, RawBytes())
    query = select(key, stored).where(key > last, _is_text(session, column)).order_by(key)
    return [(at, value) for at, value in session.execute(query.limit(_ROWS_PER_PAGE))]


def _is_text(session: Session, column: Any) -> ColumnElement[bool]:
    """Return SQL for "it is not compressed", for which neither database reads large values whole."""
    if session.get_bind().dialect.name == "sqlite":
        return func.typeof(column) == literal("text")
    return func.get_byte(column, 0) != COMPRESSED_MARK

"""Where the bytes of the database are: by table, and by the columns that can be long."""

from dataclasses import dataclass

from sqlalchemy import func, inspect, select, table, text
from sqlalchemy.orm import Session

from ris.store.compressed_json import CompressedJson
from ris.store.schema import BaseRow, ImageRow

_SQLITE_PAGES = text(
    "SELECT m.tbl_name, sum(CASE WHEN m.type = 'table' THEN s.pgsize ELSE 0 END), "
    "sum(CASE WHEN m.type = 'index' THEN s.pgsize ELSE 0 END) "
    "FROM dbstat AS s JOIN sqlite_master AS m ON m.name = s.name WHERE s.aggregate = 1 GROUP BY m.tbl_name"
)
_POSTGRESQL_SIZES = text(
    "SELECT relname, pg_table_size(oid), pg_indexes_size(oid) FROM pg_class "
    "WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"
)


@dataclass(frozen=True, slots=True)
class TableSize:
    """The size of one table.

    Attributes:
        name: of the table.
        n_rows: number of rows.
        n_bytes: of the rows; None where SQLite was built without `dbstat`.
        n_index_bytes: of its indexes; None likewise.
    """

    name: str
    n_rows: int
    n_bytes: int | None
    n_index_bytes: int | None


@dataclass(frozen=True, slots=True)
class ColumnSize:
    """The bytes that a column's values take, without the overhead of rows."""

    table: str
    column: str
    n_bytes: int


def measure_tables(session: Session) -> list[TableSize]:
    """Measure every table, largest first. The rows of each are counted, so the cost grows with the record."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    sizes: dict[str, tuple[int | None, int | None]] = {}
    if not is_sqlite or _has_dbstat(session):
        rows = session.execute(_SQLITE_PAGES if is_sqlite else _POSTGRESQL_SIZES)
        sizes = {name: (int(own), int(indexes)) for name, own, indexes in rows}
    found = []
    for name in inspect(session.get_bind()).get_table_names():
        n_rows = session.scalar(select(func.count()).select_from(table(name))) or 0
        found.append(TableSize(name, n_rows, *sizes.get(name, (None, None))))
    return sorted(found, key=lambda one: (-(one.n_bytes or 0), one.name))


def _has_dbstat(session: Session) -> bool:
    modules = session.scalars(text("SELECT name FROM pragma_module_list")).all()
    return "dbstat" in modules


def measure_columns(session: Session) -> list[ColumnSize]:
    """Measure the columns that can be long, largest first. Values are not read, only their lengths."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    found = []
    for one in BaseRow.metadata.sorted_tables:
        for column in one.columns:
            if str(column.type) in ("TEXT", "JSON") or isinstance(column.type, CompressedJson):
                # On SQLite a length of text is one of characters, unless it is seen as bytes.
                size = (
                    f"length(CAST({column.name} AS BLOB))" if is_sqlite else f"pg_column_size({column.name})"
                )
                n_bytes = session.scalar(select(func.coalesce(func.sum(text(size)), 0)).select_from(one))
                found.append(ColumnSize(one.name, column.name, int(n_bytes or 0)))
    return sorted(found, key=lambda size: (-size.n_bytes, size.table, size.column))


def count_images(session: Session) -> int:
    """Return the number of images on record."""
    return session.scalar(select(func.count()).select_from(ImageRow)) or 0

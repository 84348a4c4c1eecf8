"""A column of JSON that is stored compressed: masks and explanations are most of a record's bytes."""

import json
import zlib
from typing import Any

from sqlalchemy import LargeBinary, TypeDecorator
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine, UserDefinedType

COMPRESSED_MARK = 0x78  # the first byte of a zlib stream; no JSON text begins with it


class CompressedJson(TypeDecorator[Any]):
    """JSON compressed by zlib. Values of earlier versions, which are text, are read too.

    On SQLite the column is still declared as JSON, as it was before: SQLite stores bytes in any column, and
    does not copy the table to change a declaration.
    """

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type of a database's column."""
        return dialect.type_descriptor(RawBytes() if dialect.name == "sqlite" else LargeBinary())

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        """Compress a value."""
        return None if value is None else compress_json(value)

    def process_result_value(self, value: bytes | str | None, dialect: Dialect) -> Any:
        """Return the value of stored bytes."""
        return None if value is None else decompress_json(value)


class RawBytes(UserDefinedType[bytes]):
    """What a column of `CompressedJson` holds, as it is stored."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Return the declared type on SQLite."""
        return "JSON"


def compress_json(value: Any) -> bytes:
    """Return the compressed text of a value; numbers keep every bit."""
    return zlib.compress(json.dumps(value, separators=(",", ":")).encode())


def decompress_json(stored: bytes | str) -> Any:
    """Return the value of compressed bytes, or of the JSON text of an earlier version."""
    if isinstance(stored, bytes) and stored[:1] == bytes([COMPRESSED_MARK]):
        stored = zlib.decompress(stored)
    return json.loads(stored)

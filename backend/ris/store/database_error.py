"""Make a sentence of a database's error, without SQL and without values."""

import re

from sqlalchemy.exc import SQLAlchemyError

from ris.redaction.messages import describe_error

# SQLAlchemy's own messages go on with the statement, its parameters and a link.
_ADDITIONS = re.compile(r"\s*(\[SQL: |\[parameters: |\(Background on this error).*")
# PostgreSQL quotes the refused value at the end: invalid input syntax for type json: "..."
_QUOTED_VALUE = re.compile(r'(?<=[a-z]): (?=").*')
_DATA_CLASSES = ("22", "23")  # of SQLSTATE: data exceptions and violated constraints


def describe_database_error(error: SQLAlchemyError) -> str:
    """Return the first line of the driver's message, redacted; what follows it quotes SQL and rows."""
    original = getattr(error, "orig", None)
    if not isinstance(original, BaseException):
        return _ADDITIONS.sub("", describe_error(error))
    line = describe_error(original)
    if str(getattr(original, "sqlstate", None) or "").startswith(_DATA_CLASSES):
        line = _QUOTED_VALUE.sub("", line)
    return line

"""Tables on disk for what must be remembered of every image, text or task, so that memory does not grow."""

import sqlite3


def open_scratch(schema: str) -> sqlite3.Connection:
    """Open an empty database in the folder for temporary files; SQLite removes it when it is closed.

    Args:
        schema: the statements that make its tables.
    """
    connection = sqlite3.connect("", isolation_level=None)  # "": a temporary file
    connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; " + schema)
    connection.execute("BEGIN")
    return connection

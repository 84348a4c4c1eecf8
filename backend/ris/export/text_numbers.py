"""Numbers of texts."""

from collections.abc import Iterator

from ris.core.scratch import open_scratch

_SCHEMA = "CREATE TABLE text (number INTEGER PRIMARY KEY, content TEXT UNIQUE);"


class TextNumbers:
    """Numbers different texts from 0, in order of first appearance: on disk, so that memory does not grow."""

    def __init__(self) -> None:
        self._scratch, self._n_texts = open_scratch(_SCHEMA), 0

    def assign(self, text: str) -> int:
        """Return the number of a text."""
        query = "INSERT OR IGNORE INTO text VALUES (?, ?)"
        self._n_texts += self._scratch.execute(query, (self._n_texts, text)).rowcount
        row = self._scratch.execute("SELECT number FROM text WHERE content = ?", (text,)).fetchone()
        return int(row[0])

    def __iter__(self) -> Iterator[str]:
        """Yield the texts in the order of their numbers."""
        for (text,) in self._scratch.execute("SELECT content FROM text ORDER BY number"):
            yield text

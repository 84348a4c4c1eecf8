"""Fetch the images whose digests are not on record, and record them."""

from collections.abc import Callable, Iterable, Iterator

from ris.core.address import to_address
from ris.core.scratch import open_scratch
from ris.core.types import Image, Task
from ris.errors import ImageError
from ris.store.export_pages import ListedAnswer

_SCHEMA = """
CREATE TABLE missing (id INTEGER PRIMARY KEY, address TEXT UNIQUE, task_id INTEGER, project TEXT, url TEXT,
                      expression TEXT, digest TEXT, height INTEGER, width INTEGER, reason TEXT);
"""


class MissingImages:
    """The images that are not on record, by their addresses: on disk, so that memory does not grow.

    An image is not on record if its task was answered before the backend received a request for it.

    Args:
        answers: all answers of an export.
    """

    def __init__(self, answers: Iterable[ListedAnswer] = ()) -> None:
        self._scratch = open_scratch(_SCHEMA)
        for answer in answers:
            if answer.image_digest is None:
                task = answer.task
                self._scratch.execute(
                    "INSERT OR IGNORE INTO missing VALUES (NULL, ?, ?, ?, ?, ?, NULL, NULL, NULL, NULL)",
                    (_get_address(task), task.task_id, task.project, task.image_url, task.expression),
                )

    def __len__(self) -> int:
        """Return the number of addresses."""
        return int(self._scratch.execute("SELECT count(*) FROM missing").fetchone()[0])

    def fetch(
        self,
        fetch: Callable[[Task], Image],
        save: Callable[[Task, Image], None],
        *,
        on_start: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        """Fetch each address once.

        Args:
            fetch: fetches and decodes the image of a task, or raises an ImageError.
            save: is called with each fetched image, to record it.
            on_start: is called before each image with the number of images done and the total.
        """
        total = len(self)
        for done, task in enumerate(self._read_tasks()):
            on_start(done, total)
            try:
                image = fetch(task)
            except ImageError as error:
                found: tuple[str | int | None, ...] = None, None, None, str(error)
            else:
                save(task, image)
                found = image.digest, *image.size, None
            self._scratch.execute(
                "UPDATE missing SET digest = ?, height = ?, width = ?, reason = ? WHERE address = ?",
                (*found, _get_address(task)),
            )

    def _read_tasks(self) -> Iterator[Task]:
        """Yield one task for each address; the rows may be changed meanwhile."""
        last = 0
        query = "SELECT id, task_id, project, url, expression FROM missing WHERE id > ? ORDER BY id LIMIT 1"
        while row := self._scratch.execute(query, (last,)).fetchone():
            last = row[0]
            yield Task(*row[1:])

    def add_image(self, answer: ListedAnswer) -> ListedAnswer:
        """Return an answer with its image, if that was fetched."""
        if answer.image_digest is not None:
            return answer
        query = "SELECT digest, height, width FROM missing WHERE address = ? AND digest IS NOT NULL"
        row = self._scratch.execute(query, (_get_address(answer.task),)).fetchone()
        return answer if row is None else answer._replace(image_digest=row[0], image_size=(row[1], row[2]))

    def find_reason(self, task: Task) -> str:
        """Return why the image of a task could not be fetched; "" if nobody tried, or if it was."""
        query = "SELECT reason FROM missing WHERE address = ?"
        row = self._scratch.execute(query, (_get_address(task),)).fetchone()
        return str(row[0]) if row and row[0] else ""


def _get_address(task: Task) -> str:
    return to_address(task.image_url, task.project)

"""Marks on disk of what is in work, so that what kills workers is found although nobody survives to tell.

A worker of a cluster can be killed from outside with everything in it, as Ray does when a node runs out of
memory, and the block is given to the next worker without end. The marks count these losses.
"""

from pathlib import Path

from ris.batch.guard import MAX_WORKER_LOSSES


class LossMarks:
    """Counts how often work on something began and did not end.

    Args:
        folder: of the marks; all workers share it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self, name: str) -> int:
        """Note that work on `name` begins; return how often it began before without an end."""
        path = self._folder / name
        with path.open("ab") as file:
            n_before = file.tell()
            file.write(b".")
        return n_before

    def end(self, name: str) -> None:
        """Note that work on `name` ended."""
        (self._folder / name).unlink(missing_ok=True)


def is_deadly(n_losses: int) -> bool:
    """Whether something was lost so often that it is not tried again."""
    return n_losses >= MAX_WORKER_LOSSES

"""What an export leaves out, with reasons: in a temporary file, because it can be most of the record."""

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from ris.core.decision import Decision
from ris.core.types import Annotation
from ris.export.text import to_json

Omit = Callable[[Decision, str], None]
"""Notes that a decision is not in the files, with the reason."""


@dataclass(frozen=True, slots=True)
class Omission:
    """A decision that is not in an export, with the reason."""

    project: str
    task_id: int
    annotation_id: int
    reason: str


class OmissionFile:
    """Omissions in a temporary file, in the order in which they were added."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n")  # noqa: SIM115 (kept open)
        self._n_omissions = 0

    def __len__(self) -> int:
        """Return the number of omissions."""
        return self._n_omissions

    def __iter__(self) -> Iterator[Omission]:
        """Yield the omissions; none may be added meanwhile."""
        self._file.seek(0)
        for line in self._file:
            yield Omission(*json.loads(line))

    def add(self, project: str, task_id: int, annotation_id: int, reason: str) -> None:
        """Add an omission."""
        self._file.write(to_json([project, task_id, annotation_id, reason]) + "\n")
        self._n_omissions += 1

    def omit(self, decision: Decision, reason: str) -> None:
        """Add the omission of a decision."""
        annotation: Annotation = decision.correction.annotation
        self.add(annotation.task.project, annotation.task.task_id, annotation.annotation_id, reason)


class OmissionList:
    """The omissions of several files, one after the other."""

    def __init__(self, parts: Sequence[OmissionFile] = ()) -> None:
        self._parts = tuple(parts)

    def __len__(self) -> int:
        """Return the number of omissions."""
        return sum(len(part) for part in self._parts)

    def __iter__(self) -> Iterator[Omission]:
        """Yield the omissions."""
        return chain.from_iterable(self._parts)

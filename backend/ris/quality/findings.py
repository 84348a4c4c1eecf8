"""What the checks find: one sentence about a task, with its evidence."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ris.store.checked import CheckedTask


class Severity(StrEnum):
    """How sure it is that something must be changed."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class FindingKind(StrEnum):
    """What is wrong, or may be."""

    CONTRADICTION = "same words, different masks"
    DISPUTED_REFERENT = "no referent, and a mask"
    SAME_MASK = "different words, same mask"
    NEARLY_SAME_WORDS = "nearly the same words"
    AMBIGUOUS = "ambiguous"
    NO_HEAD = "no noun"
    ODD_CHARACTERS = "odd characters"
    TYPO = "typo"
    SPECK = "speck"
    WHOLE_IMAGE = "whole image"
    EMPTY_MASK = "empty mask"
    OTHER_SIZE = "mask outside the image"
    FAST_ANSWER = "fast answer"
    DUPLICATE_IMAGE = "duplicate image"
    LEAKED_IMAGE = "duplicate across splits"
    UNREADABLE_IMAGE = "unreadable image"
    DEFECT = "unusable entry"

    @property
    def severity(self) -> Severity:
        """How sure it is that something must be changed."""
        return _SEVERITIES.get(self, Severity.WARNING)


_SEVERITIES = {
    FindingKind.CONTRADICTION: Severity.ERROR,
    FindingKind.DISPUTED_REFERENT: Severity.ERROR,
    FindingKind.EMPTY_MASK: Severity.ERROR,
    FindingKind.OTHER_SIZE: Severity.ERROR,
    FindingKind.LEAKED_IMAGE: Severity.ERROR,
    FindingKind.UNREADABLE_IMAGE: Severity.ERROR,
    FindingKind.DEFECT: Severity.ERROR,
    FindingKind.AMBIGUOUS: Severity.NOTE,  # most of these are not: see docs/quality.md
    FindingKind.SAME_MASK: Severity.NOTE,
    FindingKind.NEARLY_SAME_WORDS: Severity.NOTE,
}


@dataclass(frozen=True, slots=True)
class TaskFinding:
    """Something that a person should look at.

    Attributes:
        kind: what it is.
        sentence: what was found and what to do.
        tasks: the tasks that it is about; empty for a part of a file that is no task.
        evidence: the numbers and words behind it.
        what: the part of the file, where there is no task.
    """

    kind: FindingKind
    sentence: str
    tasks: tuple[CheckedTask, ...] = ()
    evidence: Mapping[str, object] = field(default_factory=dict)
    what: str = ""

    @property
    def place(self) -> str:
        """The task, or the part of the file, for people."""
        return self.tasks[0].name if self.tasks else self.what

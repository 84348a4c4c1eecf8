"""Causes of events that cannot be read, and what a person can do about each cause."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ris.errors import (
    ChoiceError,
    EmptyMaskError,
    EventError,
    FrameError,
    InputError,
    LabelConfigError,
    RegionError,
    RegionKindError,
    TaskError,
)
from ris.redaction.messages import describe_error


@dataclass(frozen=True, slots=True)
class FailureCause:
    """A kind of failure.

    Attributes:
        name: one or two words, as the database stores them.
        advice: what to do.
    """

    name: str
    advice: str


INTERNAL_CAUSE = FailureCause(
    "internal",
    "read the server's log and report it: this is a fault of the program; once it is repaired, ris events "
    "replay reads the event again",
)
FAILURE_CAUSES: Mapping[type[Exception], FailureCause] = {
    FrameError: FailureCause("picture size", "open the task, wait for the picture, and answer again"),
    EmptyMaskError: FailureCause(
        "empty mask", "open the task, draw the mask or choose that the object is not in the image"
    ),
    RegionKindError: FailureCause(
        "kind of region", "draw it with a brush, a bitmask, a polygon, a rectangle or an ellipse"
    ),
    RegionError: FailureCause(
        "region", "open the task and draw the mask again; if an API client wrote it, correct the client"
    ),
    ChoiceError: FailureCause(
        "choice",
        "open the task, choose again; if choices were renamed, give them back their names and run ris sync",
    ),
    TaskError: FailureCause("task data", "give the task its image and its expression, then run ris sync"),
    LabelConfigError: FailureCause(
        "label config", "correct the label config (ris doctor says how), then run ris sync"
    ),
    EventError: FailureCause(
        "webhook",
        "let the webhook send its payload for all actions (ris connect repairs it); then ris sync, and "
        "ris events dismiss",
    ),
    InputError: FailureCause("answer", "open the task, and answer it again"),
}


@dataclass(frozen=True, slots=True)
class Failure:
    """One answer, or one event, that cannot be read.

    Attributes:
        cause: the name of its cause.
        sentence: what exactly is wrong.
        project: its key; None if the event does not say it, as for the next three.
        task_id: of the answer.
        annotation_id: of the answer.
        updated_at: which version of the answer, in UTC.
    """

    cause: str
    sentence: str
    project: str | None = None
    task_id: int | None = None
    annotation_id: int | None = None
    updated_at: datetime | None = None

    @classmethod
    def from_error(cls, error: Exception) -> "Failure":
        """Make the failure of an error: the cause of its class, and its message."""
        kinds = (kind for kind in type(error).__mro__ if kind in FAILURE_CAUSES)
        found = next(kinds, None)
        return cls(
            (FAILURE_CAUSES[found] if found else INTERNAL_CAUSE).name,
            str(error) if found else describe_error(error),
        )


def find_advice(cause: str | None) -> str:
    """Find what to do about a cause, by its name."""
    return next((one.advice for one in FAILURE_CAUSES.values() if one.name == cause), INTERNAL_CAUSE.advice)

"""Why an event could not be understood, by cause, and what a person can do about each cause."""

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


@dataclass(frozen=True, slots=True)
class FailureCause:
    """A kind of failure.

    Attributes:
        name: one or two words, as they stand in the database.
        advice: what to do.
    """

    name: str
    advice: str


OTHER_CAUSE = FailureCause("other", "read the server's log, and report it: this is our fault")
FAILURE_CAUSES: Mapping[type[Exception], FailureCause] = {
    FrameError: FailureCause(
        "picture size", "open the task, wait for the picture, answer again; then nothing more is to be done"
    ),
    EmptyMaskError: FailureCause(
        "empty mask", "open the task, draw the mask or choose that there is no such thing"
    ),
    RegionKindError: FailureCause(
        "kind of region", "draw it with a brush, a bitmask, a polygon, a rectangle or an ellipse"
    ),
    RegionError: FailureCause(
        "region", "open the task, draw the mask again; of an API client: mend what it writes"
    ),
    ChoiceError: FailureCause(
        "choice",
        "open the task, choose again; if choices were renamed, give them back their names and run ris sync",
    ),
    TaskError: FailureCause("task data", "give the task its image and its expression, then run ris sync"),
    LabelConfigError: FailureCause(
        "label config", "mend the label config (ris doctor says how), then run ris sync"
    ),
    EventError: FailureCause(
        "webhook",
        "let the webhook send its payload for all actions (ris connect mends it); then ris sync, and "
        "ris events dismiss",
    ),
    InputError: FailureCause("answer", "open the task, and answer it again"),
}


@dataclass(frozen=True, slots=True)
class Failure:
    """One answer, or one event, that could not be understood.

    Attributes:
        cause: the name of its cause.
        sentence: what exactly is wrong.
        project, task_id, annotation_id, updated_at: which version of which answer; None where the event does
            not say it.
    """

    cause: str
    sentence: str
    project: str | None = None
    task_id: int | None = None
    annotation_id: int | None = None
    updated_at: datetime | None = None

    @classmethod
    def of(cls, error: Exception) -> "Failure":
        """The failure that an error is."""
        kinds = (kind for kind in type(error).__mro__ if kind in FAILURE_CAUSES)
        found = next(kinds, None)
        return cls((FAILURE_CAUSES[found] if found else OTHER_CAUSE).name, str(error))


def find_advice(cause: str | None) -> str:
    """What to do about a cause."""
    return next((one.advice for one in FAILURE_CAUSES.values() if one.name == cause), OTHER_CAUSE.advice)

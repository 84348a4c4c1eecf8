"""One call that writes predictions, by the rules of `delivering.py`: hold, look, write, settle."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ris.errors import LabelStudioDenied, LabelStudioError, LabelStudioRefusal
from ris.labelstudio.api.pushing import Parcel, PredictionWriter
from ris.labelstudio.config.control import Controls
from ris.store.deliveries import hold_tasks, remove_deliveries
from ris.store.session import Database

log = logging.getLogger(__name__)

WRITE_HOLD = timedelta(seconds=180)  # longer than our client waits for one call


class WriteOutcome(StrEnum):
    """What became of one task's predictions."""

    stored = "stored"  # they are in Label Studio, by our call or before
    answer = "answer"  # the caller is to answer /predict with them
    refused = "refused"  # Label Studio will not take them
    held = "held"  # somebody else is writing them
    unknown = "unknown"  # Label Studio did not say: they are looked for and written later


@dataclass(frozen=True, slots=True)
class WriteResult:
    """One outcome a parcel, in order, and how many predictions are new in Label Studio."""

    outcomes: Sequence[WriteOutcome]
    n_new: int = 0


def write_parcels(
    database: Database,
    pushing: PredictionWriter,
    parcels: Sequence[Parcel],
    controls: Controls,
    version: str,
    *,
    now: Callable[[], datetime],
) -> WriteResult:
    """Write the predictions of tasks of one project; never raises but for the database."""
    tasks, start = [parcel.task for parcel in parcels], now()
    with database.begin() as session:
        is_ours = hold_tasks(session, tasks, version, now=start, until=start + WRITE_HOLD)
    ours = [parcel for parcel, mine in zip(parcels, is_ours, strict=True) if mine]
    written = _push_parcels(pushing, ours, controls, version)
    outcomes = dict(zip((parcel.task for parcel in ours), written.outcomes, strict=True))
    done = [task for task, outcome in outcomes.items() if outcome is not WriteOutcome.unknown]
    with database.begin() as session:
        remove_deliveries(session, done, version)
    return WriteResult([outcomes.get(task, WriteOutcome.held) for task in tasks], written.n_new)


def _push_parcels(
    pushing: PredictionWriter, parcels: Sequence[Parcel], controls: Controls, version: str
) -> WriteResult:
    """A refusal of many may be one task's alone: then each is written by itself."""
    if not parcels:
        return WriteResult([])
    number = int(parcels[0].task.project.partition(".")[0])
    try:
        n_new = pushing.push_all(number, parcels, controls, version)
    except LabelStudioDenied as error:
        log.warning("%d tasks are not in Label Studio: %s; tried again", len(parcels), error)
        return WriteResult([WriteOutcome.unknown] * len(parcels))
    except LabelStudioRefusal as error:
        if len(parcels) > 1:
            alone = [_push_parcels(pushing, [one], controls, version) for one in parcels]
            return WriteResult([w.outcomes[0] for w in alone], sum(w.n_new for w in alone))
        log.warning("Label Studio refuses the predictions of task %s: %s", parcels[0].task.task_id, error)
        return WriteResult([WriteOutcome.refused])
    except LabelStudioError as error:
        log.warning("%d tasks may not be in Label Studio: %s; looked at again", len(parcels), error)
        return WriteResult([WriteOutcome.unknown] * len(parcels))
    return WriteResult([WriteOutcome.stored] * len(parcels), n_new)

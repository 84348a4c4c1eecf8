"""Write predictions by the rules of `delivering.py`: hold the tasks, look, write, remove the deliveries."""

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

MAX_BYTES_PER_CALL = 32 * 2**20  # Label Studio takes 250 MB, and is to answer within the client's timeout
_BYTES_PER_RUN = 50  # of a mask as JSON: a run is two runs of brush RLE, each a few bytes in decimal digits
WRITE_HOLD = timedelta(seconds=180)  # longer than the client's timeout for one call


class WriteOutcome(StrEnum):
    """The outcome for one task's predictions."""

    stored = "stored"  # they are in Label Studio, from this call or an earlier one
    answer = "answer"  # the caller must put them into its answer to /predict
    refused = "refused"  # Label Studio refuses them
    held = "held"  # another thread or process is writing them
    unknown = "unknown"  # Label Studio did not confirm: they are looked for and written later


@dataclass(frozen=True, slots=True)
class WriteResult:
    """One outcome for each parcel, in order, and the number of predictions new in Label Studio."""

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
    """Write the predictions of tasks of one project: in one call, or in several if they are large.

    Failures of Label Studio become outcomes.

    Args:
        database: holds who may write which task.
        pushing: writes through Label Studio's API.
        parcels: the tasks with their alternatives.
        controls: of the project's label config.
        version: of the predictions.
        now: the clock, in UTC.

    Raises:
        StoreError: the database refused.
    """
    if len(parcels) > 1 and sum(map(_estimate_bytes, parcels)) > MAX_BYTES_PER_CALL:
        middle = len(parcels) // 2  # each half holds its tasks for its own call
        first, second = (
            write_parcels(database, pushing, half, controls, version, now=now)
            for half in (parcels[:middle], parcels[middle:])
        )
        return WriteResult([*first.outcomes, *second.outcomes], first.n_new + second.n_new)
    tasks, start = [parcel.task for parcel in parcels], now()
    with database.begin() as session:
        is_ours = hold_tasks(session, tasks, version, now=start, until=start + WRITE_HOLD)
    ours = [parcel for parcel, is_held in zip(parcels, is_ours, strict=True) if is_held]
    result = _push_parcels(pushing, ours, controls, version)
    outcomes = dict(zip((parcel.task for parcel in ours), result.outcomes, strict=True))
    done = [task for task, outcome in outcomes.items() if outcome is not WriteOutcome.unknown]
    with database.begin() as session:
        remove_deliveries(session, done, version)
    return WriteResult([outcomes.get(task, WriteOutcome.held) for task in tasks], result.n_new)


def _push_parcels(
    pushing: PredictionWriter, parcels: Sequence[Parcel], controls: Controls, version: str
) -> WriteResult:
    """Write all parcels in one call; after a refusal write each half, because one may have caused it."""
    if not parcels:
        return WriteResult([])
    number = int(parcels[0].task.project.partition(".")[0])
    try:
        n_new = pushing.push_all(number, parcels, controls, version)
    except LabelStudioDenied as error:
        log.warning("%d tasks are not in Label Studio: %s; they are tried again", len(parcels), error)
        return WriteResult([WriteOutcome.unknown] * len(parcels))
    except LabelStudioRefusal as error:
        if len(parcels) > 1:
            return _push_halves(pushing, parcels, controls, version)
        log.warning("Label Studio refuses the predictions of task %s: %s", parcels[0].task.task_id, error)
        return WriteResult([WriteOutcome.refused])
    except LabelStudioError as error:
        log.warning("%d tasks may not be in Label Studio: %s; they are looked up", len(parcels), error)
        return WriteResult([WriteOutcome.unknown] * len(parcels))
    return WriteResult([WriteOutcome.stored] * len(parcels), n_new)


def _push_halves(
    pushing: PredictionWriter, parcels: Sequence[Parcel], controls: Controls, version: str
) -> WriteResult:
    middle = len(parcels) // 2
    first, second = (
        _push_parcels(pushing, half, controls, version) for half in (parcels[:middle], parcels[middle:])
    )
    return WriteResult([*first.outcomes, *second.outcomes], first.n_new + second.n_new)


def _estimate_bytes(parcel: Parcel) -> int:
    runs = sum(len(alternative.suggestion.mask.counts) for alternative in parcel.alternatives)
    return _BYTES_PER_RUN * runs

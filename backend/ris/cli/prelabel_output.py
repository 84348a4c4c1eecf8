"""Output of `ris prelabel`: predictions in a file and in Label Studio, and the failed tasks."""

import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ris import assembly, config
from ris.batch.prelabel import FailedTask
from ris.batch.taskfile import write_tasks
from ris.cli.console import console, make_rate_progress, make_table
from ris.cli.prelabel_input import TaskInput
from ris.core.types import Task
from ris.errors import LabelStudioError
from ris.labelstudio.api.pushing import Parcel, PredictionWriter
from ris.labelstudio.config.control import Controls
from ris.labelstudio.fields import is_id
from ris.labelstudio.region import write_predictions
from ris.service.writing import WriteOutcome, write_parcels
from ris.store.records import find_alternatives, find_alternatives_of_tasks
from ris.store.session import Database

# Label Studio counts the predictions of the whole project at each call: few large calls are faster than many.
PUSH_BATCH_SIZE = 500
MAX_SHOWN_FAILURES = 20


def write_prediction_file(path: Path, found: TaskInput, database: Database, version: str) -> None:
    """Write the tasks with the predictions that the database has for them."""
    by_id = {task.task_id: task for task in found.tasks}
    write_tasks(path, found.entries, partial(_make_predictions, database, by_id, found.controls, version))
    console.print(f"{len(found.entries)} tasks with their predictions: {path}")


def _make_predictions(
    database: Database, tasks: dict[int, Task], controls: Controls, version: str, entry: dict[str, Any]
) -> list[dict[str, Any]] | None:
    task = tasks.get(entry["id"]) if is_id(entry["id"]) else None
    if task is None:
        return None
    with database.begin() as session:
        alternatives = find_alternatives(session, task, version) or ()
    return write_predictions(alternatives, controls, version=version)


def push_predictions(
    settings: config.Settings, database: Database, project: int, found: TaskInput, version: str
) -> None:
    """Store the predictions in Label Studio; existing predictions are not changed.

    Raises:
        LabelStudioError: Label Studio refused predictions, or did not answer.
    """
    writer = PredictionWriter(assembly.make_label_studio_client(settings))
    stored, outcomes, started = 0, Counter[WriteOutcome](), time.monotonic()
    with make_rate_progress(console) as progress:
        bar = progress.add_task("into Label Studio", total=len(found.tasks), rate="")
        for start in range(0, len(found.tasks), PUSH_BATCH_SIZE):
            part = found.tasks[start : start + PUSH_BATCH_SIZE]
            with database.begin() as session:
                found_sets = find_alternatives_of_tasks(session, part[0].project, part, version)
            parcels = [Parcel(task, found_sets[task]) for task in part if task in found_sets]
            written = write_parcels(
                database, writer, parcels, found.controls, version, now=assembly.get_utc_now
            )
            stored += written.n_new
            outcomes.update(written.outcomes)
            progress.advance(bar, len(part))
            speed = progress.tasks[bar].speed
            progress.update(bar, rate=f"{speed:.1f} tasks/s" if speed else "")
    writer.show_version(project, version)
    seconds = time.monotonic() - started
    rate = f" in {seconds:.0f} s, {stored / seconds:.0f} a second" if stored and seconds >= 1 else ""
    console.print(f"{stored} predictions stored in Label Studio{rate}; existing predictions were not changed")
    if outcomes[WriteOutcome.held]:
        console.print(
            f"{outcomes[WriteOutcome.held]} tasks are being written by another process, such as `ris serve`"
        )
    if missing := outcomes[WriteOutcome.refused] + outcomes[WriteOutcome.unknown]:
        raise LabelStudioError(
            f"Label Studio did not confirm the predictions of {missing} tasks; the warnings above give the "
            "reasons: correct the cause and run this command again"
        )


def print_failed_tasks(failed: Sequence[FailedTask]) -> None:
    """Print the failed tasks with their reasons, at most `MAX_SHOWN_FAILURES` of them."""
    if not failed:
        return
    table = make_table("task", "reason", title=f"{len(failed)} tasks have no suggestions", name="failed")
    for one in failed[:MAX_SHOWN_FAILURES]:
        table.add_row(one.task_id, one.reason)
    if len(failed) > MAX_SHOWN_FAILURES:
        table.add_row("...", f"and {len(failed) - MAX_SHOWN_FAILURES} more")
    console.print(table, markup=False)

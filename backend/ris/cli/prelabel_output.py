"""Output of `ris prelabel`: predictions in a file and in Label Studio, and the failed tasks."""

import itertools
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ris import assembly, config
from ris.batch.load import FailedTask
from ris.batch.taskfile import write_tasks
from ris.cli.console import console, make_rate_progress, make_table
from ris.cli.prelabel_input import StoredTasks
from ris.core.types import Alternative, Task
from ris.errors import LabelStudioError
from ris.labelstudio.api.pushing import Parcel, PredictionWriter
from ris.labelstudio.region import write_predictions
from ris.service.writing import WriteOutcome, write_parcels
from ris.store.records import find_alternatives_of_tasks
from ris.store.session import Database

# Label Studio counts the predictions of the whole project at each call: few large calls are faster than many.
PUSH_BATCH_SIZE = 500
MAX_SHOWN_FAILURES = 20

Part = Sequence[tuple[dict[str, Any], Task | FailedTask]]


class FailureLog:
    """Counts failed tasks; however many there are, only the first ones are kept.

    Attributes:
        n_failed: their number.
    """

    def __init__(self) -> None:
        self.n_failed = 0
        self._shown: list[FailedTask] = []

    def add(self, failed: FailedTask) -> None:
        """Count a failed task."""
        self.n_failed += 1
        if len(self._shown) < MAX_SHOWN_FAILURES:
            self._shown.append(failed)

    def print(self) -> None:
        """Print the first failed tasks with their reasons."""
        if not self.n_failed:
            return
        table = make_table(
            "task", "reason", title=f"{self.n_failed} tasks have no suggestions", name="failed"
        )
        for one in self._shown:
            table.add_row(one.task_id, one.reason)
        if self.n_failed > len(self._shown):
            table.add_row("...", f"and {self.n_failed - len(self._shown)} more")
        console.print(table, markup=False)


def write_prediction_file(path: Path, tasks: StoredTasks, database: Database, version: str) -> None:
    """Write the tasks with the predictions that the database has for them; a query for some hundred tasks."""
    write_tasks(path, _add_predictions(tasks, database, version))
    console.print(f"{tasks.n_entries} tasks with their predictions: {path}")


def _add_predictions(
    tasks: StoredTasks, database: Database, version: str
) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]] | None]]:
    for part, found in _find_alternatives(tasks, database, version):
        for entry, task in part:
            alternatives = found.get(task, ()) if isinstance(task, Task) else None
            yield (
                entry,
                None
                if alternatives is None
                else write_predictions(alternatives, tasks.controls, version=version),
            )


def _find_alternatives(
    tasks: StoredTasks, database: Database, version: str
) -> Iterator[tuple[Part, dict[Task, tuple[Alternative, ...]]]]:
    """Yield some hundred entries at a time, each with its task, and the alternatives of those tasks."""
    waiting = tasks.read()
    while part := list(itertools.islice(waiting, PUSH_BATCH_SIZE)):
        usable = [task for _, task in part if isinstance(task, Task)]
        with database.begin() as session:
            found = find_alternatives_of_tasks(session, tasks.project, usable, version)
        yield part, found


def push_predictions(
    settings: config.Settings, database: Database, number: int, tasks: StoredTasks, version: str
) -> None:
    """Store the predictions in Label Studio; existing predictions are not changed.

    Args:
        settings: name Label Studio.
        database: has the suggestions.
        number: of the project.
        tasks: of the project.
        version: of the suggestions.

    Raises:
        LabelStudioError: Label Studio refused predictions, or did not answer.
    """
    writer = PredictionWriter(assembly.make_label_studio_client(settings))
    stored, outcomes, started = 0, Counter[WriteOutcome](), time.monotonic()
    with make_rate_progress(console) as progress:
        bar = progress.add_task("into Label Studio", total=tasks.n_entries, rate="")
        for part, found in _find_alternatives(tasks, database, version):
            parcels = [
                Parcel(task, found[task]) for _, task in part if isinstance(task, Task) and task in found
            ]
            written = write_parcels(
                database, writer, parcels, tasks.controls, version, now=assembly.get_utc_now
            )
            stored += written.n_new
            outcomes.update(written.outcomes)
            progress.advance(bar, len(part))
            speed = progress.tasks[bar].speed
            progress.update(bar, rate=f"{speed:.1f} tasks/s" if speed else "")
    writer.show_version(number, version)
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

"""The run over a dataset: what is stored is left out, what is found is stored, what fails is told.

The record in SQL is the only memory: a run that was stopped, however hard, goes on where it was, because a
group's suggestions are written in one transaction and asked for before anything is computed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ris.batch.engine import Engine
from ris.batch.plan import TaskGroup, group_tasks
from ris.batch.work import GroupResult
from ris.core.types import Task
from ris.labelstudio.region import make_alternatives
from ris.store.records import add_alternatives, find_alternatives
from ris.store.session import Database


@dataclass(frozen=True, slots=True)
class FailedTask:
    """A task that has no suggestions, and why."""

    task_id: int
    reason: str


def find_unanswered_tasks(database: Database, tasks: Sequence[Task], version: str) -> list[Task]:
    """The tasks that have no suggestions under a version yet."""
    with database.begin() as session:
        return [task for task in tasks if find_alternatives(session, task, version) is None]


def prelabel_tasks(
    database: Database,
    engine: Engine,
    tasks: Sequence[Task],
    *,
    version: str,
    shuffled_share: float,
    now: Callable[[], datetime],
) -> Iterator[tuple[TaskGroup, Sequence[FailedTask]]]:
    """Compute and store what the tasks lack; each group as it is done, with those of its tasks that failed.

    Raises:
        StoreError: the database cannot be written.
    """
    for found in engine.run(group_tasks(tasks)):
        failed = _store_result(database, found, version=version, shuffled_share=shuffled_share, now=now)
        yield found.group, failed


def _store_result(
    database: Database,
    found: GroupResult,
    *,
    version: str,
    shuffled_share: float,
    now: Callable[[], datetime],
) -> list[FailedTask]:
    failed = []
    references = found.references or (None,) * len(found.group.tasks)
    with database.begin() as session:
        for task, reference, reason in zip(found.group.tasks, references, found.failures, strict=True):
            if reference is None:
                failed.append(FailedTask(task.task_id, reason))
                continue
            offers = make_alternatives(task, version, reference.suggestions, shuffled_share=shuffled_share)
            add_alternatives(
                session, task, found.digest, found.size, offers, version=version,
                method_scores=reference.scores, proposals=found.masks, now=now(),
            )  # fmt: skip
            if not offers:
                failed.append(FailedTask(task.task_id, "no mask was proposed for its image"))
    return failed

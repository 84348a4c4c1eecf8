"""Compute and store the suggestions of a dataset.

The database is the only state. The suggestions of a group are written in one transaction, and tasks with
stored suggestions are left out, so an interrupted run can be started again.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ris.batch.engine import Engine
from ris.batch.plan import TaskGroup, group_tasks
from ris.batch.work import GroupResult
from ris.core.types import Task
from ris.labelstudio.region import make_alternatives
from ris.store.records import add_alternatives, find_answered_tasks
from ris.store.session import Database

_TASKS_PER_QUERY = 500


@dataclass(frozen=True, slots=True)
class FailedTask:
    """A task without suggestions, and the reason."""

    task_id: int
    reason: str


def find_unanswered_tasks(database: Database, tasks: Sequence[Task], version: str) -> list[Task]:
    """Return the tasks that have no stored suggestions of a model version; a query per block of tasks."""
    missing: list[Task] = []
    for start in range(0, len(tasks), _TASKS_PER_QUERY):
        part = tasks[start : start + _TASKS_PER_QUERY]
        with database.begin() as session:
            answered = find_answered_tasks(session, part, version)
        missing += [task for task in part if task not in answered]
    return missing


def prelabel_tasks(
    database: Database,
    engine: Engine,
    tasks: Sequence[Task],
    *,
    version: str,
    shuffled_share: float,
    now: Callable[[], datetime],
) -> Iterator[tuple[TaskGroup, Sequence[FailedTask]]]:
    """Compute and store the suggestions of tasks; yield each group with its failed tasks.

    Args:
        database: where suggestions are stored, a transaction per group.
        engine: runs the networks.
        tasks: tasks without stored suggestions.
        version: model version of the suggestions.
        shuffled_share: fraction of tasks shown shuffled, to measure position bias.
        now: the clock.

    Raises:
        BackendError: the workers cannot start.
        StoreError: the database cannot be written.
    """
    for result in engine.run(group_tasks(tasks)):
        failed = _store_result(database, result, version=version, shuffled_share=shuffled_share, now=now)
        yield result.group, failed


def _store_result(
    database: Database,
    result: GroupResult,
    *,
    version: str,
    shuffled_share: float,
    now: Callable[[], datetime],
) -> list[FailedTask]:
    failed = []
    references = result.references or (None,) * len(result.group.tasks)
    with database.begin() as session:
        for task, reference, reason in zip(result.group.tasks, references, result.failures, strict=True):
            if reference is None:
                failed.append(FailedTask(task.task_id, reason))
                continue
            alternatives = make_alternatives(
                task, version, reference.suggestions, shuffled_share=shuffled_share
            )
            add_alternatives(
                session, task, result.digest, result.size, alternatives, version=version,
                method_scores=reference.scores, proposals=result.masks, late=reference.late, now=now(),
            )  # fmt: skip
            if not alternatives:
                failed.append(FailedTask(task.task_id, "no mask was proposed for its image"))
    return failed

"""The three ways to answer /predict for tasks; `service/delivering.py` says which rules they follow."""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

from ris.core.types import Task
from ris.labelstudio.api.pushing import Parcel
from ris.labelstudio.config.control import Controls
from ris.labelstudio.region import write_predictions
from ris.labelstudio.task import PredictRequest, TaskFailure
from ris.service import DeliveryResult, DeliveryService, SuggestionResult, SuggestionService, WriteOutcome

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PredictBatch:
    """The tasks of one request.

    Attributes:
        entries: one a task, with the expression that is meant.
        words: one a task: its expression where it was kept from another image, else "".
    """

    entries: Sequence[Task | TaskFailure]
    words: Sequence[str]
    controls: Controls
    version: str

    @classmethod
    def of(
        cls, asked: PredictRequest, version: str, find_words: Callable[[Task | TaskFailure], str]
    ) -> "PredictBatch":
        """The tasks that are asked, those without an expression with the one that was kept."""
        words = [find_words(entry) for entry in asked.entries]
        entries = [
            replace(entry, expression=kept) if kept and isinstance(entry, Task) else entry
            for entry, kept in zip(asked.entries, words, strict=True)
        ]
        return cls(entries, words, asked.controls, version)

    def predictions(self, answer: SuggestionResult, words: str) -> list[dict[str, Any]]:
        """What Label Studio is told of one answer."""
        return write_predictions(answer.offers, self.controls, version=self.version, carried_expression=words)


@dataclass(frozen=True, slots=True)
class TaskAnswer:
    """One entry of the answer; `cause` is why there are no alternatives, "" when there are."""

    predictions: list[dict[str, Any]]
    cause: str


def answer_all(
    batch: PredictBatch, suggesting: SuggestionService, delivering: DeliveryService | None, deadline_s: float
) -> list[TaskAnswer]:
    """With everything that is ready: to a program that stores nothing, or that we cannot write to.

    What is late is written through the API where there is one.
    """
    jobs = suggesting.begin(batch.entries)
    suggesting.wait(jobs, deadline_s=deadline_s)
    answers = []
    for entry, words, job in zip(batch.entries, batch.words, jobs, strict=True):
        answer = job.result() if job.done() else suggesting.make_late_result(entry, deadline_s)
        answers.append(TaskAnswer(batch.predictions(answer, words), answer.cause))
        if not job.done() and delivering and isinstance(entry, Task) and delivering.can_reach(entry.project):
            delivering.add_deliveries([(entry, words)], batch.version)
            delivering.push_late(entry, words, job, batch.controls, batch.version)
    return answers


def answer_one(
    batch: PredictBatch, suggesting: SuggestionService, delivering: DeliveryService, deadline_s: float
) -> list[TaskAnswer]:
    """Label Studio asks for one task: with its predictions, unless somebody else writes them."""
    until = time.monotonic() + deadline_s
    (entry,), (words,) = batch.entries, batch.words
    (job,) = suggesting.begin(batch.entries)
    if _is_deliverable(entry):
        delivering.add_deliveries([(entry, words)], batch.version)
    suggesting.wait([job], deadline_s=deadline_s)
    if job.done() and (answer := job.result()).offers and isinstance(entry, Task):
        parcel = Parcel(entry, answer.offers, words)
        outcome = delivering.take(
            parcel, batch.controls, batch.version, patience_s=until - time.monotonic()
        )  # fmt: skip
        return [_to_task_answer(batch, DeliveryResult(answer, outcome), words)]
    if _is_deliverable(entry):
        delivering.push_late(entry, words, job, batch.controls, batch.version)
    answer = job.result() if job.done() else suggesting.make_late_result(entry, deadline_s)
    return [TaskAnswer([], answer.cause)]


def answer_several(
    batch: PredictBatch, suggesting: SuggestionService, delivering: DeliveryService, deadline_s: float
) -> list[TaskAnswer]:
    """Label Studio asks for several tasks: empty, once they are written through its API or it is time."""
    owed = [(e, w) for e, w in zip(batch.entries, batch.words, strict=True) if _is_deliverable(e)]
    delivering.add_deliveries(owed, batch.version)
    jobs = suggesting.begin(batch.entries)
    brought = [
        delivering.push_late(entry, words, job, batch.controls, batch.version)
        if _is_deliverable(entry)
        else _make_empty_result(job)
        for entry, words, job in zip(batch.entries, batch.words, jobs, strict=True)
    ]
    suggesting.wait(brought, deadline_s=deadline_s)
    return [
        _to_task_answer(
            batch,
            one.result() if one.done() else DeliveryResult(suggesting.make_late_result(entry, deadline_s)),
            words,
        )
        for entry, words, one in zip(batch.entries, batch.words, brought, strict=True)
    ]


def _is_deliverable(entry: Task | TaskFailure) -> TypeGuard[Task]:
    return isinstance(entry, Task) and bool(entry.expression)


def _make_empty_result(job: "Future[SuggestionResult]") -> "Future[DeliveryResult]":
    """A task that has nothing to be computed is done already."""
    done: Future[DeliveryResult] = Future()
    done.set_result(DeliveryResult(job.result()))
    return done


def _to_task_answer(batch: PredictBatch, brought: DeliveryResult, words: str) -> TaskAnswer:
    answer, outcome = brought.answer, brought.outcome
    if outcome in (WriteOutcome.answer, WriteOutcome.refused):
        return TaskAnswer(batch.predictions(answer, words), answer.cause)
    if outcome is WriteOutcome.stored:
        log.info("task %s: its alternatives are stored in Label Studio", answer.task_id)
    elif outcome is not None:
        log.info("task %s: its alternatives are on their way into Label Studio", answer.task_id)
    return TaskAnswer([], answer.cause)

"""The three ways to answer /predict for tasks; `service/delivering.py` has the rules."""

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
        entries: one for each task, with its expression, its own or the carried one.
        carried_expressions: one for each task: the expression carried over from another image, else "".
    """

    entries: Sequence[Task | TaskFailure]
    carried_expressions: Sequence[str]
    controls: Controls
    version: str

    @classmethod
    def from_request(
        cls, request: PredictRequest, version: str, find_carried: Callable[[Task | TaskFailure], str]
    ) -> "PredictBatch":
        """Return the tasks of a request; one without an expression gets the carried one.

        Args:
            request: the parsed body of /predict.
            version: of the predictions.
            find_carried: returns the carried expression of an entry, or "".
        """
        carried_expressions = [find_carried(entry) for entry in request.entries]
        entries = [
            replace(entry, expression=carried) if carried and isinstance(entry, Task) else entry
            for entry, carried in zip(request.entries, carried_expressions, strict=True)
        ]
        return cls(entries, carried_expressions, request.controls, version)

    def to_predictions(self, result: SuggestionResult, carried: str) -> list[dict[str, Any]]:
        """Return the predictions of one result as Label Studio's JSON."""
        return write_predictions(
            result.alternatives, self.controls, version=self.version, carried_expression=carried
        )


@dataclass(frozen=True, slots=True)
class TaskAnswer:
    """One entry of the answer; `cause` says why there are no alternatives, "" when there are."""

    predictions: list[dict[str, Any]]
    cause: str


def answer_all(
    batch: PredictBatch, suggesting: SuggestionService, delivering: DeliveryService | None, deadline_s: float
) -> list[TaskAnswer]:
    """Answer with every result that is ready: for a client or a project that we cannot write to.

    Late results are written through the API where that is possible.
    """
    jobs = suggesting.begin(batch.entries)
    suggesting.wait(jobs, deadline_s=deadline_s)
    answers = []
    for entry, carried, job in zip(batch.entries, batch.carried_expressions, jobs, strict=True):
        result = job.result() if job.done() else suggesting.make_late_result(entry, deadline_s)
        answers.append(TaskAnswer(batch.to_predictions(result, carried), result.cause))
        if not job.done() and delivering and isinstance(entry, Task) and delivering.can_reach(entry.project):
            delivering.add_deliveries([(entry, carried)], batch.version)
            delivering.push_late(entry, carried, job, batch.controls, batch.version)
    return answers


def answer_one(
    batch: PredictBatch, suggesting: SuggestionService, delivering: DeliveryService, deadline_s: float
) -> list[TaskAnswer]:
    """Answer Label Studio's request for one task: with its predictions, unless another thread writes them."""
    until = time.monotonic() + deadline_s
    (entry,), (carried,) = batch.entries, batch.carried_expressions
    (job,) = suggesting.begin(batch.entries)
    if _is_deliverable(entry):
        delivering.add_deliveries([(entry, carried)], batch.version)
    suggesting.wait([job], deadline_s=deadline_s)
    if job.done() and (result := job.result()).alternatives and isinstance(entry, Task):
        parcel = Parcel(entry, result.alternatives, carried)
        patience_s = until - time.monotonic()
        outcome = delivering.take(parcel, batch.controls, batch.version, patience_s=patience_s)
        return [_to_task_answer(batch, DeliveryResult(result, outcome), carried)]
    if _is_deliverable(entry):
        delivering.push_late(entry, carried, job, batch.controls, batch.version)
    result = job.result() if job.done() else suggesting.make_late_result(entry, deadline_s)
    return [TaskAnswer([], result.cause)]


def answer_several(
    batch: PredictBatch, suggesting: SuggestionService, delivering: DeliveryService, deadline_s: float
) -> list[TaskAnswer]:
    """Answer Label Studio's request for several tasks: empty, once all are written or at the deadline."""
    pairs = zip(batch.entries, batch.carried_expressions, strict=True)
    delivering.add_deliveries([(e, carried) for e, carried in pairs if _is_deliverable(e)], batch.version)
    jobs = suggesting.begin(batch.entries)
    deliveries = [
        delivering.push_late(entry, carried, job, batch.controls, batch.version)
        if _is_deliverable(entry)
        else _make_empty_delivery(job)
        for entry, carried, job in zip(batch.entries, batch.carried_expressions, jobs, strict=True)
    ]
    suggesting.wait(deliveries, deadline_s=deadline_s)
    return [
        _to_task_answer(
            batch,
            one.result() if one.done() else DeliveryResult(suggesting.make_late_result(entry, deadline_s)),
            carried,
        )
        for entry, carried, one in zip(batch.entries, batch.carried_expressions, deliveries, strict=True)
    ]


def _is_deliverable(entry: Task | TaskFailure) -> TypeGuard[Task]:
    return isinstance(entry, Task) and bool(entry.expression)


def _make_empty_delivery(job: "Future[SuggestionResult]") -> "Future[DeliveryResult]":
    """Return the finished delivery of a task for which nothing is computed."""
    done: Future[DeliveryResult] = Future()
    done.set_result(DeliveryResult(job.result()))
    return done


def _to_task_answer(batch: PredictBatch, delivery: DeliveryResult, carried: str) -> TaskAnswer:
    result, outcome = delivery.result, delivery.outcome
    if outcome in (WriteOutcome.answer, WriteOutcome.refused):
        return TaskAnswer(batch.to_predictions(result, carried), result.cause)
    if outcome is WriteOutcome.stored:
        log.info("task %s: its alternatives are stored in Label Studio", result.task_id)
    elif outcome is not None:
        log.info("task %s: its alternatives are written into Label Studio later", result.task_id)
    return TaskAnswer([], result.cause)

"""What came of an event, and how it is written: decisions, deletions, failures, and the event's state."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ris.core.comparison import Comparison
from ris.core.types import Correction
from ris.labelstudio.event import WebhookEvent
from ris.labelstudio.failure import Failure
from ris.store.failures import FailedAnswer, replace_failures, resolve_failures, resolve_failures_of_deleted
from ris.store.inbox import mark_event_done, mark_event_failed, postpone_event
from ris.store.label_configs import save_label_config
from ris.store.records import add_correction, add_deletion, save_carried_expression
from ris.store.session import Session


@dataclass(frozen=True, slots=True)
class ProcessedEvent:
    """The result of processing one event.

    Attributes:
        number: of the event in the inbox.
        event: the parsed event; None when it could not be read.
        corrections: its judged answers, each with the version of the alternatives shown, and compared with
            them.
        failures: why the event, or some of its answers, cannot be read; empty when all can.
        obstacle: why the event cannot be processed now; "" when it can.
    """

    number: int
    event: WebhookEvent | None
    corrections: Sequence[tuple[Correction, str | None, Comparison]] = ()
    failures: Sequence[Failure] = ()
    obstacle: str = ""


def write_event(session: Session, one: ProcessedEvent, event: WebhookEvent, *, now: datetime) -> None:
    """Write the decisions and deletions of an event, and resolve earlier failures of its answers."""
    for correction, version, comparison in one.corrections:
        annotation, project = correction.annotation, correction.annotation.task.project
        add_correction(
            session, correction, version=version, event_id=one.number, now=now, comparison=comparison
        )
        resolve_failures(
            session,
            project,
            annotation.annotation_id,
            until=annotation.updated_at,
            besides=one.number,
            now=now,
        )
        if annotation.carried_expression is not None:
            save_carried_expression(session, project, annotation.carried_expression, at=annotation.updated_at)
    if event.label_config and event.annotations:
        at = max(annotation.updated_at for annotation in event.annotations)
        save_label_config(session, event.project, event.label_config, at=at)
    gone = {"annotation_ids": event.deleted_annotation_ids, "task_ids": event.deleted_task_ids}
    add_deletion(session, event.project, **gone, event_id=one.number, now=now)
    resolve_failures_of_deleted(session, event.project, **gone, now=now)


def write_event_state(session: Session, one: ProcessedEvent, *, now: datetime) -> None:
    """Write whether an event is done, failed or tried again later."""
    if one.obstacle:
        return postpone_event(session, one.number, now=now)
    failures = [_to_failed_answer(one.number, failure) for failure in one.failures]
    if still_open := replace_failures(session, one.number, failures, now=now):
        return mark_event_failed(session, one.number, "; ".join(f.sentence for f in still_open), now=now)
    return mark_event_done(session, one.number, now=now)


def make_write_failures(one: ProcessedEvent, error: Exception) -> list[Failure]:
    """Return one failure for each answer of an event that could not be written, or one for the event."""
    failure = Failure.from_error(error)
    answers = [
        replace(
            failure, project=annotation.task.project, task_id=annotation.task.task_id,
            annotation_id=annotation.annotation_id, updated_at=annotation.updated_at,
        )
        for correction, _, _ in one.corrections for annotation in [correction.annotation]
    ]  # fmt: skip
    return [*answers, *one.failures] or [failure]


def _to_failed_answer(event: int, failure: Failure) -> FailedAnswer:
    return FailedAnswer(
        event, failure.cause, failure.sentence, failure.project, failure.task_id, failure.annotation_id,
        failure.updated_at,
    )  # fmt: skip

"""Webhooks: what Label Studio tells us became of a task, read into our types."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ris.core.types import Annotation
from ris.errors import BackendError, EventError, InputError
from ris.labelstudio.annotation import SizeLookup, find_no_size, read_annotation, read_updated_at
from ris.labelstudio.config.control import Controls, read_controls
from ris.labelstudio.failure import Failure
from ris.labelstudio.fields import is_id, make_project_key, read_id

_ANSWER_ACTIONS = ("ANNOTATION_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_CREATED")
log = logging.getLogger(__name__)

SYNC_SOURCE = "sync"  # the `source` of an event that Label Studio's state was read into


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """One webhook, understood.

    Attributes:
        action: Label Studio's word, e.g. ANNOTATION_CREATED.
        project: its key, as /setup and /predict say it; "" when the event names no project.
        controls: of the label config that came with it; None when no annotation came.
        label_config: its text, where its answers were given under it; "" of answers that were read later.
        annotations: answers that were given or changed.
        deleted_annotation_ids, deleted_task_ids: what is gone.
        failures: of each answer of the event that cannot be understood; the others are.
    """

    action: str
    project: str
    controls: Controls | None = None
    label_config: str = ""
    annotations: tuple[Annotation, ...] = ()
    deleted_annotation_ids: tuple[int, ...] = ()
    deleted_task_ids: tuple[int, ...] = ()
    failures: tuple[Failure, ...] = ()


def read_event(body: Mapping[str, Any], size_of: SizeLookup = find_no_size) -> WebhookEvent:
    """Understand a webhook's body.

    Actions without an answer in them (TASKS_CREATED, PROJECT_UPDATED, START_TRAINING and ones that
    are new to us) give an event with nothing to do.

    Raises:
        EventError: it lacks what its action promises.
    """
    action = body.get("action")
    if not isinstance(action, str) or not action:
        raise EventError(f'a webhook needs "action", e.g. "ANNOTATION_CREATED"; got {action!r:.60}')
    if action in _ANSWER_ACTIONS:
        return _read_answers(action, body, size_of)
    if action == "ANNOTATIONS_DELETED":
        return WebhookEvent(
            action, make_project_key(body), deleted_annotation_ids=_read_ids(body, "annotations")
        )
    if action == "TASKS_DELETED":
        return WebhookEvent(action, make_project_key(body), deleted_task_ids=_read_ids(body, "tasks"))
    return WebhookEvent(action, make_project_key(body) if isinstance(body.get("project"), dict) else "")


def _read_answers(action: str, body: Mapping[str, Any], size_of: SizeLookup) -> WebhookEvent:
    project = body.get("project")
    label_config = project.get("label_config") if isinstance(project, dict) else None
    if not isinstance(label_config, str):
        raise EventError(f"{action} came without the project's label_config")
    controls = read_controls(label_config)
    key = make_project_key(body)
    annotations, tasks = _read_objects(body, "annotation"), _read_objects(body, "task")
    if len(annotations) != len(tasks):
        raise EventError(f"{action} came with {len(annotations)} annotations and {len(tasks)} tasks")
    understood: list[Annotation] = []
    failures: list[Failure] = []
    for annotation, task in zip(annotations, tasks, strict=True):
        try:
            understood.append(read_annotation(annotation, task, key, controls, size_of))
        except InputError as error:
            failures.append(_make_failure(error, annotation, task, key))
        except Exception as error:  # it must cost no answer beside it
            log.exception("annotation %.20r failed inside", annotation.get("id"))
            inside = BackendError(f"failed inside: {type(error).__name__}: {error!s:.200}")
            failures.append(_make_failure(inside, annotation, task, key))
    return WebhookEvent(
        action,
        key,
        controls=controls,
        label_config="" if body.get("source") == SYNC_SOURCE else label_config,
        annotations=tuple(understood),
        failures=tuple(failures),
    )


def make_failures(body: Mapping[str, Any], error: Exception) -> list[Failure]:
    """The failures that an event is which could not be read at all: one an answer in it, or one without."""
    try:
        annotations, tasks, project = (
            _read_objects(body, "annotation"),
            _read_objects(body, "task"),
            make_project_key(body),
        )
    except EventError:
        return [Failure.of(error)]
    answers = zip(annotations, tasks, strict=False)
    return [_make_failure(error, annotation, task, project) for annotation, task in answers]


def _make_failure(
    error: Exception, annotation: Mapping[str, Any], task: Mapping[str, Any], project: str
) -> Failure:
    failure = Failure.of(error)
    sentence = f"annotation {annotation.get('id')!r:.20}: {error}"
    number, task_id = annotation.get("id"), task.get("id")
    if not is_id(number) or not is_id(task_id):
        return replace(failure, sentence=sentence)
    try:
        updated_at = read_updated_at(annotation)
    except EventError:
        return replace(failure, sentence=sentence)
    return replace(
        failure,
        sentence=sentence,
        project=project,
        task_id=task_id,
        annotation_id=number,
        updated_at=updated_at,
    )


def _read_objects(body: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    """One object, or a list of them under the same singular name."""
    value = body.get(name)
    found = [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, dict)]
    if not found or (isinstance(value, list) and len(found) < len(value)):
        raise EventError(f'"{name}" must be an object or a list of objects')
    return found


def _read_ids(body: Mapping[str, Any], name: str) -> tuple[int, ...]:
    values = body.get(name)
    if not isinstance(values, list) or not all(isinstance(v, dict) for v in values):
        raise EventError(f'{body.get("action")} needs "{name}", a list of objects with an id')
    return tuple(read_id(value, "id") for value in values)

"""Read webhooks: what became of tasks and annotations in Label Studio."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ris.core.types import Annotation
from ris.errors import BackendError, EventError, InputError, StoreError
from ris.labelstudio.annotation import SizeLookup, find_no_size, read_annotation, read_updated_at
from ris.labelstudio.config.control import Controls, read_controls
from ris.labelstudio.failure import Failure
from ris.labelstudio.fields import is_id, make_project_key, read_id
from ris.redaction.messages import describe_error

_ANSWER_ACTIONS = ("ANNOTATION_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_CREATED")
log = logging.getLogger(__name__)

SYNC_SOURCE = "sync"  # `source` of an event that was made of Label Studio's state, not sent by it


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """The content of one webhook.

    Attributes:
        action: as Label Studio names it, e.g. ANNOTATION_CREATED.
        project: its key, as /setup and /predict send it; "" if the webhook names no project.
        controls: the tags of the label config; None if no annotation came.
        label_config: the XML that was in force when the answers were given; "" if a sync read them later.
        annotations: answers that were given or changed.
        deleted_annotation_ids: of annotations that are gone.
        deleted_task_ids: of tasks that are gone.
        failures: one per answer that cannot be read; `annotations` holds the others.
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
    """Read a webhook's body.

    Actions without an answer (TASKS_CREATED, PROJECT_UPDATED, START_TRAINING and unknown ones) give an event
    with nothing to do.

    Args:
        body: the webhook's JSON.
        size_of: looks up the size of a task's image.

    Raises:
        EventError: the body lacks what its action needs.
        LabelConfigError: the project's label config has no place for a mask.
        StoreError: `size_of` could not look; nothing is wrong with the event.
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
    read: list[Annotation] = []
    failures: list[Failure] = []
    for annotation, task in zip(annotations, tasks, strict=True):
        try:
            read.append(read_annotation(annotation, task, key, controls, size_of))
        except InputError as error:
            failures.append(_make_failure(error, annotation, task, key))
        except StoreError:
            raise
        except Exception as error:  # a fault of ours must not lose the other answers
            log.exception("annotation %.20r failed inside", annotation.get("id"))
            fault = BackendError(f"failed inside: {type(error).__name__}: {describe_error(error)}")
            failures.append(_make_failure(fault, annotation, task, key))
    return WebhookEvent(
        action,
        key,
        controls=controls,
        label_config="" if body.get("source") == SYNC_SOURCE else label_config,
        annotations=tuple(read),
        failures=tuple(failures),
    )


def make_failures(body: Mapping[str, Any], error: Exception) -> list[Failure]:
    """Make the failures of an event that cannot be read: one per answer in it, or one for the event."""
    try:
        annotations, tasks, project = (
            _read_objects(body, "annotation"),
            _read_objects(body, "task"),
            make_project_key(body),
        )
    except EventError:
        return [Failure.from_error(error)]
    answers = zip(annotations, tasks, strict=False)
    return [_make_failure(error, annotation, task, project) for annotation, task in answers]


def _make_failure(
    error: Exception, annotation: Mapping[str, Any], task: Mapping[str, Any], project: str
) -> Failure:
    failure = Failure.from_error(error)
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
    """Read one object, or a list of objects under the same singular name."""
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

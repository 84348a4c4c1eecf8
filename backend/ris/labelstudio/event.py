"""Webhooks: what Label Studio tells us became of a task, read into our types."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from ris.core.types import Annotation, Size, Task
from ris.errors import BackendError, EmptyMaskError, EventError, InputError, RegionError
from ris.labelstudio.choice import drop_alternatives_for, find_typed_expression, select_meant_regions
from ris.labelstudio.config.control import Controls, read_controls
from ris.labelstudio.failure import Failure
from ris.labelstudio.result import read_mask
from ris.labelstudio.selected_choices import is_expression_carried
from ris.labelstudio.storable import to_storable
from ris.labelstudio.task import is_id, read_task

_ANSWER_ACTIONS = ("ANNOTATION_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_CREATED")
log = logging.getLogger(__name__)

_MAX_LEAD_TIME_S = 1e9
SYNC_SOURCE = "sync"  # the `source` of an event that Label Studio's state was read into
_SECRET_KEYS = frozenset(
    {
        "token",
        "access_token",
        "refresh_token",
        "api_key",
        "apikey",
        "password",
        "secret",
        "authorization",
        "cookie",
        "task_data_login",
        "task_data_password",
    }
)


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


SizeLookup = Callable[[Task], Size | None]
"""Looks up the size of a task's image, (height, width); None where it is not on record."""


def find_no_size(task: Task) -> Size | None:
    """No image is on record."""
    return None


def drop_secrets(body: Any) -> Any:
    """The body without tokens, passwords and keys, at any depth; everything else as it came.

    An event must not be lost over a value that databases refuse: those are as `to_storable` leaves them.
    """
    return _drop_secrets(to_storable(body))


def _drop_secrets(body: Any) -> Any:
    if isinstance(body, dict):
        return {
            name: _drop_secrets(value) for name, value in body.items() if name.lower() not in _SECRET_KEYS
        }
    if isinstance(body, list):  # mostly the numbers of masks
        return [value if type(value) is int else _drop_secrets(value) for value in body]
    return body


def to_canonical_json(body: Mapping[str, Any]) -> str:
    """What the event says as JSON: the same event twice is the same text, letter by letter."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"))


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
            understood.append(_read_annotation(annotation, task, key, controls, size_of))
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
        updated_at = _read_updated_at(annotation)
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


def _read_annotation(
    annotation: Mapping[str, Any],
    task: Mapping[str, Any],
    project: str,
    controls: Controls,
    size_of: SizeLookup,
) -> Annotation:
    is_skipped = _is_skipped(annotation)
    asked, regions = read_answer(annotation, task, project, controls)
    mask, region_ids = read_mask(regions, size_of(asked) if regions else None)
    return Annotation(
        annotation_id=_read_id(annotation, "id"),
        task=asked,
        updated_at=_read_updated_at(annotation),
        mask=mask,
        region_ids=region_ids,
        cancelled=is_skipped,
        annotator=_read_user_id(annotation.get("completed_by")),
        lead_time_s=_read_lead_time(annotation.get("lead_time")),
        carried_expression=_read_carried_expression(
            [] if is_skipped else annotation["result"], controls, asked.expression
        ),
        parent_prediction=parent if is_id(parent := annotation.get("parent_prediction")) else None,
    )


def read_answer(
    annotation: Mapping[str, Any], task: Mapping[str, Any], project: str, controls: Controls
) -> tuple[Task, Sequence[Any]]:
    """What was asked in the end, typed words counting most, and the regions that the answer means.

    A skipped answer means no region, whatever lies on the image: nothing in it is read.

    Raises:
        InputError: the task cannot be read, says nothing and nothing was typed, or the rule
        (`choice.select_meant_regions`)
            does not cover the answer.
    """
    if _is_skipped(annotation):
        return read_task(task, project, controls), []
    result: Any = annotation.get("result")
    if not isinstance(result, list):
        raise RegionError(
            f"an answer needs its result, a list of regions, got {type(result).__name__}: of an API client, "
            "write [] where nothing is meant"
        )
    asked = read_task(task, project, controls, typed=find_typed_expression(result, controls))
    if not asked.expression:
        raise InputError(
            f"nothing was typed in {controls.expression_area!r}, and the task says no expression"
        )
    before = read_task(task, project, controls).expression if controls.expression_area else ""
    if before in ("", asked.expression):
        return asked, select_meant_regions(result, controls)
    regions = select_meant_regions(drop_alternatives_for(before, result, asked), controls)
    if not regions and select_meant_regions(result, controls):
        raise EmptyMaskError(
            f"all masks on the image were offered for {before!r:.60}, and {asked.expression!r:.60} was typed:"
            " draw or choose a mask, or say that there is no such thing"
        )
    return asked, regions


def _is_skipped(annotation: Mapping[str, Any]) -> bool:
    """Label Studio writes true; clients of its API have written 1 and "true"."""
    return str(annotation.get("was_cancelled")).lower() in ("true", "1")


def _read_lead_time(value: object) -> float | None:
    """A lead time; None for what is none."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value < _MAX_LEAD_TIME_S else None  # type: ignore[operator,arg-type]


def _read_carried_expression(result: Sequence[Any], controls: Controls, expression: str) -> str | None:
    if not controls.expression_area or controls.keep is None:
        return None
    return expression if is_expression_carried(result, controls) else ""


def make_project_key(body: Mapping[str, Any]) -> str:
    """ "<id>.<created_at as whole seconds>": the same string that /setup and /predict send.

    Raises:
        EventError: the event names no project, or not when it was created.
    """
    project = body.get("project")
    if not isinstance(project, dict) or not isinstance(project.get("id"), int):
        raise EventError("the webhook names no project")
    created = parse_time(project.get("created_at"), "the project's created_at")
    return f"{project['id']}.{int(created.timestamp())}"


def _read_updated_at(annotation: Mapping[str, Any]) -> datetime:
    return parse_time(
        annotation.get("updated_at") or annotation.get("created_at"), "the annotation's updated_at"
    )


def parse_time(value: object, what: str) -> datetime:
    """A time as Label Studio writes it, in UTC.

    Raises:
        EventError: it is none; `what` names it in the message.
    """
    try:
        moment = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise EventError(f"{what} is no time: {value!r:.40}") from error


def _read_id(fields: Mapping[str, Any], name: str) -> int:
    value = fields.get(name)
    if not is_id(value):
        raise EventError(f"{name} must be a number that an id can be, got {value!r:.40}")
    return int(value)


def _read_user_id(value: object) -> int | None:
    if isinstance(value, dict):
        value = value.get("id")
    return value if is_id(value) else None


def _read_ids(body: Mapping[str, Any], name: str) -> tuple[int, ...]:
    values = body.get(name)
    if not isinstance(values, list) or not all(isinstance(v, dict) for v in values):
        raise EventError(f'{body.get("action")} needs "{name}", a list of objects with an id')
    return tuple(_read_id(value, "id") for value in values)

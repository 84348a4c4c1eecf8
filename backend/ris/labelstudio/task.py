"""Read the bodies of /setup and /predict, and the tasks in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ris.core.types import Task
from ris.errors import InputError, LabelConfigError, TaskError
from ris.labelstudio.config.control import Controls, read_controls
from ris.labelstudio.fields import is_id
from ris.labelstudio.storable import to_storable
from ris.redaction.json_values import redact_json
from ris.redaction.text import redact_user

MAX_EXPRESSION_WORDS = 200
MAX_EXPRESSION_CHARACTERS = 2000


@dataclass(frozen=True, slots=True)
class TaskFailure:
    """A task that cannot be predicted, and the reason as a sentence.

    Attributes:
        task_id: None if the task has no usable id.
        reason: what is wrong and what to do.
    """

    task_id: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class PredictRequest:
    """The body of /predict.

    Attributes:
        project: its key, "<id>.<created_at>".
        controls: the label config's tags.
        entries: one per task of the body, in its order.
        context: of an interactive request; None for a batch. Label Studio stores no interactive predictions.
    """

    project: str
    controls: Controls
    entries: tuple[Task | TaskFailure, ...]
    context: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class SetupRequest:
    """The body of /setup. Its token is the project owner's and its hostname is unchecked: neither is kept.

    Attributes:
        project: its key, "<id>.<created_at>".
        label_config: its XML.
        controls: the label config's tags.
        extra_params: the JSON that the ML backend's settings in Label Studio hold, redacted.
    """

    project: str
    label_config: str
    controls: Controls
    extra_params: Mapping[str, Any]


def read_setup_request(body: object) -> SetupRequest:
    """Read the body of /setup.

    Raises:
        InputError: the body is no object, or names no project.
        LabelConfigError: the label config has no place for a mask; the message says what to add.
    """
    fields = _require_object(body, "/setup")
    label_config = to_storable(fields.get("schema") or fields.get("label_config") or "")
    if not isinstance(label_config, str):
        raise LabelConfigError(f"the label config must be text, got {type(label_config).__name__}")
    extra = redact_json(to_storable(fields.get("extra_params")))
    return SetupRequest(
        project=_read_project_key(fields),
        label_config=label_config,
        controls=read_controls(label_config),
        extra_params=extra if isinstance(extra, dict) else {},
    )


def read_predict_request(body: object) -> PredictRequest:
    """Read the body of /predict.

    Raises:
        InputError: it is no object, or has no tasks.
        LabelConfigError: its label config has no place for a mask.
    """
    fields = _require_object(body, "/predict")
    tasks = fields.get("tasks")
    if isinstance(tasks, dict):
        tasks = [tasks]
    if not isinstance(tasks, list):
        raise InputError(f'the body of /predict needs "tasks", a list; got {type(tasks).__name__}')
    config = fields.get("label_config")
    if not isinstance(config, str):
        raise LabelConfigError("the body of /predict has no label_config: connect the project again")
    controls, project = read_controls(config), _read_project_key(fields)
    params = fields.get("params")
    context = params.get("context") if isinstance(params, dict) else None
    return PredictRequest(
        project=project,
        controls=controls,
        entries=tuple(_read_entry(task, project, controls) for task in tasks),
        context=context if isinstance(context, dict) and context else None,
    )


def _require_object(body: object, route: str) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise InputError(f"the body of {route} must be a JSON object, got {type(body).__name__}")
    return body


def _read_project_key(fields: Mapping[str, Any]) -> str:
    """Read the project's key, "<id>.<created_at>", as Label Studio sends it."""
    project = fields.get("project")
    if project is None or isinstance(project, dict | list) or not str(project).strip():
        raise InputError(f'the body needs "project", e.g. "1.1795219546"; got {project!r:.60}')
    return to_storable(str(project))[:64]


def _read_entry(task: object, project: str, controls: Controls) -> Task | TaskFailure:
    task_id = task.get("id") if isinstance(task, dict) else None
    try:
        if not isinstance(task, dict) or not is_id(task_id):
            raise TaskError(f"a task needs an integer id, got {task_id!r:.60}")
        return read_task(task, project, controls)
    except TaskError as error:
        return TaskFailure(task_id if is_id(task_id) else None, str(error))


def read_task(task: Mapping[str, Any], project: str, controls: Controls, *, typed: str = "") -> Task:
    """Read one task. Its expression is "" if the annotator is to type it and has not yet.

    Args:
        task: as Label Studio sends it.
        project: the project's key.
        controls: the label config's tags.
        typed: what the annotator typed; it wins over the task's own expression.

    Raises:
        TaskError: the task lacks its image or its expression; the message names the keys that it has.
    """
    task_id, data = task.get("id"), task.get("data")
    if not is_id(task_id):
        raise TaskError(f"a task needs an integer id, got {task_id!r:.60}")
    if not isinstance(data, dict):
        raise TaskError(f"task {task_id} has no data")
    reference = to_storable(controls.image_field.read(data))
    if reference is None:
        missing = controls.image_field.find_missing(data)
        raise TaskError(f'task {task_id} has no image under data["{missing}"]; keys: {_list_keys(data)}')
    image = redact_user(reference)  # an address with a password is never fetched, so none is kept
    text = typed or controls.expression_field.read(data)
    if controls.expression_area and not typed and not text:
        return Task(task_id, project, image, "")
    key = controls.expression_key
    if text is None:
        raise TaskError(f'task {task_id} has no text under data["{key}"]; keys: {_list_keys(data)}')
    return Task(task_id, project, image, to_expression(text, task_id, key))


def to_expression(text: str, task_id: int, key: str) -> str:
    """Convert a text to an expression: without characters that cannot be stored, and stripped.

    Args:
        text: what was written or typed.
        task_id: of its task, for the message.
        key: where the text comes from, for the message.

    Raises:
        TaskError: the text is empty or too long.
    """
    expression = to_storable(text).strip()
    n_words = len(expression.split())
    if not expression:
        raise TaskError(f'task {task_id} has an empty expression under data["{key}"]: write what is meant')
    if n_words > MAX_EXPRESSION_WORDS or len(expression) > MAX_EXPRESSION_CHARACTERS:
        raise TaskError(
            f"task {task_id} has an expression of {n_words} words and {len(expression)} characters; "
            f"{MAX_EXPRESSION_WORDS} words and {MAX_EXPRESSION_CHARACTERS} characters are the limit: "
            "shorten it"
        )
    return expression


def _list_keys(data: Mapping[str, Any]) -> str:
    return ", ".join(str(key)[:40] for key in list(data)[:12]) or "none"

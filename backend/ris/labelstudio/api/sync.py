"""Read a project's state through Label Studio's API, as the webhooks that would have reported it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ris.errors import LabelStudioError
from ris.labelstudio.answer import is_imported
from ris.labelstudio.api.protocol import LabelStudioApi
from ris.labelstudio.event import SYNC_SOURCE
from ris.labelstudio.fields import make_project_key, parse_time

_TASKS_PER_PAGE = 100


@dataclass(frozen=True, slots=True)
class AnnotationState:
    """One annotation as Label Studio has it now.

    Attributes:
        annotation_id: of the annotation.
        updated_at: when it was changed last, in UTC.
        event: the body of a webhook that would report it.
    """

    annotation_id: int
    updated_at: datetime
    event: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ProjectState:
    """A project's key and description, for `fetch_annotation_states`.

    Attributes:
        key: "<id>.<created_at>".
        body: the project as a webhook describes it.
    """

    key: str
    body: dict[str, Any]


def read_project(api: LabelStudioApi, number: int) -> ProjectState:
    """Read a project.

    Raises:
        LabelStudioError: there is none of this number, or it cannot be read.
    """
    body = api.call("GET", f"/api/projects/{number}")
    project = {name: body.get(name) for name in ("id", "created_at", "label_config")}
    return ProjectState(make_project_key({"project": project}), project)


def fetch_annotation_states(api: LabelStudioApi, project: ProjectState) -> Iterator[AnnotationState]:
    """Yield all annotations of a project, a page of tasks per request.

    Raises:
        LabelStudioError: a page cannot be read.
    """
    for task in fetch_tasks(api, project.body["id"], fields="all"):
        yield from _make_annotation_states(task, project)


def fetch_tasks(api: LabelStudioApi, number: int, *, fields: str = "task_only") -> Iterator[dict[str, Any]]:
    """Yield all tasks of a project, a page per request.

    Args:
        api: Label Studio.
        number: the project's number.
        fields: "all" includes the annotations.

    Raises:
        LabelStudioError: a page cannot be read.
    """
    page, seen = 1, 0
    while True:
        listed = api.call(
            "GET", "/api/tasks", project=number, fields=fields, page=page, page_size=_TASKS_PER_PAGE
        )
        tasks = listed.get("tasks") if isinstance(listed, dict) else None
        if not isinstance(tasks, list):
            raise LabelStudioError(f"Label Studio listed no tasks of project {number}: {str(listed)[:80]}")
        yield from tasks
        seen += len(tasks)
        if not tasks or seen >= int(listed.get("total", seen)):
            return
        page += 1


def is_gone(api: LabelStudioApi, annotation_id: int) -> bool:
    """Tell whether Label Studio has an annotation no more: a paged listing can miss one that exists."""
    return not api.exists(f"/api/annotations/{annotation_id}/")


def _make_annotation_states(task: dict[str, Any], project: ProjectState) -> Iterator[AnnotationState]:
    task_body = {"id": task["id"], "data": task.get("data") or {}}
    for annotation in task.get("annotations") or ():
        if is_imported(annotation):
            continue  # no decision
        yield AnnotationState(
            annotation_id=int(annotation["id"]),
            updated_at=parse_time(annotation.get("updated_at"), "the annotation's updated_at"),
            event={
                "action": "ANNOTATION_UPDATED",
                "source": SYNC_SOURCE,
                "annotation": annotation,
                "task": task_body,
                "project": project.body,
            },
        )

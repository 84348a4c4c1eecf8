"""Label Studio's own state of a project, read through its API as the events that would have told it."""

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
        annotation_id, updated_at: which version of it.
        event: the body of a webhook that would tell it.
    """

    annotation_id: int
    updated_at: datetime
    event: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ProjectState:
    """A project's key and description, for `fetch_annotation_states`."""

    key: str
    body: dict[str, Any]


def read_project(api: LabelStudioApi, number: int) -> ProjectState:
    """A project by its number.

    Raises:
        LabelStudioError: there is none, or it cannot be read.
    """
    body = api.call("GET", f"/api/projects/{number}")
    about = {name: body.get(name) for name in ("id", "created_at", "label_config")}
    return ProjectState(make_project_key({"project": about}), about)


def fetch_annotation_states(api: LabelStudioApi, project: ProjectState) -> Iterator[AnnotationState]:
    """All annotations of a project, a page of tasks at a time.

    Raises:
        LabelStudioError: a page cannot be read.
    """
    for task in fetch_tasks(api, project.body["id"], fields="all"):
        yield from _make_annotation_states(task, project)


def fetch_tasks(api: LabelStudioApi, number: int, *, fields: str = "task_only") -> Iterator[dict[str, Any]]:
    """All tasks of a project, a page at a time.

    Args:
        fields: "all" brings their annotations too.

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
    """Whether Label Studio no longer has an annotation: a listing by pages can miss one that is there."""
    return not api.exists(f"/api/annotations/{annotation_id}/")


def _make_annotation_states(task: dict[str, Any], project: ProjectState) -> Iterator[AnnotationState]:
    told = {"id": task["id"], "data": task.get("data") or {}}
    for annotation in task.get("annotations") or ():
        if is_imported(annotation):
            continue  # nobody's decision
        yield AnnotationState(
            annotation_id=int(annotation["id"]),
            updated_at=parse_time(annotation.get("updated_at"), "the annotation's updated_at"),
            event={
                "action": "ANNOTATION_UPDATED",
                "source": SYNC_SOURCE,
                "annotation": annotation,
                "task": told,
                "project": project.body,
            },
        )

"""Read a project's state through Label Studio's API, as the webhooks that would have reported it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ris.errors import EventError, LabelStudioError
from ris.labelstudio.answer import is_imported
from ris.labelstudio.api.answers import AnnotationAnswer, ListedTaskAnswer, check_answer
from ris.labelstudio.api.changes import fetch_answered_tasks
from ris.labelstudio.api.projects import fetch_project
from ris.labelstudio.api.protocol import LabelStudioApi
from ris.labelstudio.event import SYNC_SOURCE
from ris.labelstudio.fields import make_project_key, parse_time


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
        title: its title; "" if it has none.
        n_tasks: number of its tasks.
        n_answered: number of its tasks with an annotation.
    """

    key: str
    body: dict[str, Any]
    title: str = ""
    n_tasks: int = 0
    n_answered: int = 0


def read_project(api: LabelStudioApi, number: int) -> ProjectState:
    """Read a project.

    Raises:
        LabelStudioMissing: there is none of this number.
        LabelStudioError: it cannot be read.
        EventError: its time of creation cannot be read.
    """
    body = fetch_project(api, number)
    project = {name: body.get(name) for name in ("id", "created_at", "label_config")}
    n_tasks, n_answered = body.get("task_number") or 0, body.get("num_tasks_with_annotations") or 0
    return ProjectState(
        make_project_key({"project": project}), project, body.get("title") or "", n_tasks, n_answered
    )


def fetch_annotation_states(api: LabelStudioApi, project: ProjectState) -> Iterator[AnnotationState]:
    """Yield all annotations of a project, a page of answered tasks per request.

    Raises:
        LabelStudioError: a page cannot be read. Tasks and annotations that cannot be read by themselves are
            named after all others were yielded.
    """
    odd: list[str] = []
    for tasks in fetch_answered_tasks(api, project.body["id"]):
        yield from read_annotation_states(tasks, project, odd)
    check_odd_answers(odd, project)


def read_annotation_states(
    tasks: Sequence[dict[str, Any]], project: ProjectState, odd: list[str]
) -> list[AnnotationState]:
    """Read the annotations of listed tasks.

    Args:
        tasks: each with its annotations.
        project: of the tasks.
        odd: gets a sentence for each task or annotation that cannot be read; see `check_odd_answers`.
    """
    states = []
    for task in tasks:
        for state in _make_annotation_states(task, project):
            states.append(state) if isinstance(state, AnnotationState) else odd.append(state)
    return states


def check_odd_answers(odd: Sequence[str], project: ProjectState) -> None:
    """Raise if tasks or annotations could not be read.

    Raises:
        LabelStudioError: with their number, and the first sentence.
    """
    if odd:
        raise LabelStudioError(
            f"{len(odd)} tasks or annotations of project {project.body['id']} cannot be read; "
            f"the first: {odd[0]}"
        )


def is_gone(api: LabelStudioApi, annotation_id: int) -> bool:
    """Tell whether Label Studio has an annotation no more: a paged listing can miss one that exists."""
    return not api.exists(f"/api/annotations/{annotation_id}/")


def _make_annotation_states(task: dict[str, Any], project: ProjectState) -> Iterator[AnnotationState | str]:
    """Yield the annotations of a task; a sentence for each that cannot be read."""
    try:
        known = check_answer(task, ListedTaskAnswer, f"task {task['id']}")
    except LabelStudioError as error:
        yield str(error)
        return
    task_body = {"id": known["id"], "data": known.get("data") or {}}
    for annotation in known.get("annotations") or ():
        if is_imported(annotation):
            continue  # no decision
        try:
            fields = check_answer(annotation, AnnotationAnswer, f"an annotation of task {known['id']}")
            updated_at = parse_time(fields["updated_at"], "the annotation's updated_at")
        except (LabelStudioError, EventError) as error:
            yield str(error)
            continue
        yield AnnotationState(
            annotation_id=fields["id"],
            updated_at=updated_at,
            event={
                "action": "ANNOTATION_UPDATED",
                "source": SYNC_SOURCE,
                "annotation": annotation,
                "task": task_body,
                "project": project.body,
            },
        )

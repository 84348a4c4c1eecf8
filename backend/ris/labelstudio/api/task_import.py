"""Import tasks into a project of Label Studio."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ris.errors import LabelStudioError
from ris.labelstudio.api.answers import ImportAnswer, check_answer
from ris.labelstudio.api.protocol import LabelStudioApi

TASKS_PER_IMPORT = 200


def push_tasks(
    api: LabelStudioApi, project: int, tasks: Sequence[dict[str, Any]], on_imported: Callable[[int], None]
) -> int:
    """Import tasks, TASKS_PER_IMPORT in each call, and return how many Label Studio accepted.

    Args:
        api: calls Label Studio.
        project: its id.
        tasks: as `make_tasks` returns them.
        on_imported: called with the number of tasks after each call.

    Raises:
        LabelStudioError: Label Studio refused a call; the tasks of earlier calls stay.
    """
    n_accepted = 0
    for start in range(0, len(tasks), TASKS_PER_IMPORT):
        part = list(tasks[start : start + TASKS_PER_IMPORT])
        what = f"the import of {len(part)} tasks into project {project}"
        answer = check_answer(api.call("POST", f"/api/projects/{project}/import", part), ImportAnswer, what)
        n_accepted += answer.get("task_count") or 0
        on_imported(len(part))
    return n_accepted


def create_tasks(api: LabelStudioApi, project: int, tasks: Sequence[Mapping[str, Any]]) -> list[int]:
    """Import tasks in one call, and return their numbers, in order.

    Raises:
        LabelStudioError: Label Studio refused the call, or does not say which tasks it made.
    """
    what = f"the import of {len(tasks)} tasks into project {project}"
    path = f"/api/projects/{project}/import"
    made = check_answer(api.call("POST", path, tasks, return_task_ids="true"), ImportAnswer, what)
    ids = made.get("task_ids") or []
    if len(ids) != len(tasks):
        raise LabelStudioError(
            f"Label Studio named {len(ids)} tasks after {what}: run this again, it finds those that are there"
        )
    return ids

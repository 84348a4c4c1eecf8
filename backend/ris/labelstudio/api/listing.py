"""List the tasks of a project, page by page, and stop when Label Studio goes in circles."""

from collections.abc import Iterator
from itertools import count
from typing import Any

from ris.errors import LabelStudioError, LabelStudioMissing
from ris.labelstudio.api.answers import TaskPageAnswer, check_answer
from ris.labelstudio.api.protocol import LabelStudioApi
from ris.labelstudio.fields import is_id

TASKS_PER_PAGE = 100
MIN_TASKS_PER_PAGE = 10  # of a page that is not the last; fewer would make a request of every task


def fetch_tasks(
    api: LabelStudioApi, number: int, *, fields: str = "task_only", **query: Any
) -> Iterator[dict[str, Any]]:
    """Yield the tasks of a project once each, a page per request; each has an id.

    The total of the first page bounds the number of pages. Tasks that are added meanwhile are not waited for.

    Args:
        api: Label Studio.
        number: the project's number.
        fields: "all" includes predictions and annotations.
        **query: further parameters of the listing.

    Raises:
        LabelStudioError: a page cannot be read, brings nothing new, or ends before the total. Tasks without
            an id are named after all others were yielded.
    """
    seen: set[int] = set()
    total = n_listed = n_odd = 0
    first_odd = ""
    for page in count(1):
        listed = _fetch_page(api, number, page, fields=fields, **query)
        tasks, total = listed["tasks"], listed["total"] if page == 1 else total
        n_before = len(seen) + n_odd
        for task in tasks:
            task_id = task.get("id") if isinstance(task, dict) else None
            if not is_id(task_id):
                n_odd, first_odd = n_odd + 1, first_odd or f"{task!r:.60}"
            elif task_id not in seen:
                seen.add(task_id)
                yield task
        n_listed += len(tasks)
        is_last = n_listed >= min(total, listed["total"])
        _check_progress(number, page, len(tasks), n_new=len(seen) + n_odd - n_before, is_last=is_last)
        if is_last:
            break
    if n_odd:
        raise LabelStudioError(
            f"{n_odd} of the {n_listed} tasks that Label Studio lists for project {number} have no id that a "
            f"task can have; the first is {first_odd}"
        )


def _fetch_page(api: LabelStudioApi, number: int, page: int, *, fields: str, **query: Any) -> TaskPageAnswer:
    try:
        answer = api.call(
            "GET", "/api/tasks", project=number, fields=fields, page=page, page_size=TASKS_PER_PAGE, **query
        )
    except LabelStudioMissing as error:  # of a page past the end
        raise LabelStudioError(
            f"page {page} of the tasks of project {number} is not there, though the total says so; if tasks "
            "were deleted meanwhile, run this again"
        ) from error
    listed = check_answer(answer, TaskPageAnswer, f"page {page} of the tasks of project {number}")
    if page == 1 and len(listed["tasks"]) > listed["total"]:
        raise LabelStudioError(
            f"Label Studio lists {len(listed['tasks'])} tasks of project {number} and says that it has "
            f"{listed['total']}; run this again"
        )
    return listed


def _check_progress(number: int, page: int, n_tasks: int, *, n_new: int, is_last: bool) -> None:
    if n_tasks and not n_new:
        raise LabelStudioError(
            f"page {page} of the tasks of project {number} has no task that the pages before it had not; "
            "Label Studio lists them in a circle"
        )
    if not is_last and n_tasks < MIN_TASKS_PER_PAGE:
        raise LabelStudioError(
            f"page {page} of the tasks of project {number} has {n_tasks} of {TASKS_PER_PAGE} tasks and is "
            "not the last; if tasks were deleted meanwhile, run this again"
        )

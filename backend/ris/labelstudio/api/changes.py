"""List the tasks of a project that have answers, and those that changed, each page from where the last ended.

Label Studio numbers pages by position: while people work, a task that is deleted or changed moves the tasks
behind it to another page, and one is missed. So every request asks for the first page behind the last task.
Label Studio takes one ordering; its filters are combined by "or", each with a `child_filter` that must hold
too. A version that ignores `child_filter` lists more tasks, never fewer.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from ris.errors import EventError, LabelStudioError
from ris.labelstudio.api.answers import TaskPageAnswer, check_answer
from ris.labelstudio.api.listing import MIN_TASKS_PER_PAGE, TASKS_PER_PAGE
from ris.labelstudio.api.protocol import LabelStudioApi
from ris.labelstudio.fields import is_id, parse_time

_Filter = dict[str, Any]


def _make_filter(field: str, operator: str, value: Any) -> _Filter:
    kinds = {"updated_at": "Datetime", "updated_by": "List"}
    return {
        "filter": f"filter:tasks:{field}",
        "operator": operator,
        "type": kinds.get(field, "Number"),
        "value": f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}" if isinstance(value, datetime) else value,
    }


_HAS_ANSWERS = (
    _make_filter("total_annotations", "greater", 0),
    _make_filter("cancelled_annotations", "greater", 0),
)
# A task whose only annotation was deleted has none, but the user who deleted it. An imported task has none.
_WAS_TOUCHED = (*_HAS_ANSWERS, _make_filter("updated_by", "empty", False))


@dataclass(frozen=True, slots=True)
class RecentTasks:
    """The tasks that changed since a time.

    Attributes:
        newest: when the last one changed, by Label Studio's clock; None if there is none.
        digest: differs when any of them changed, unless more than 200 changed within this time: then it is
            of the first and the last 100, and their number.
    """

    newest: datetime | None
    digest: str


def find_newest_change(api: LabelStudioApi, number: int, until: datetime | None) -> datetime | None:
    """Find when a task of a project was changed last, by Label Studio's clock; None if none was.

    Args:
        api: Label Studio.
        number: the project's number.
        until: leaves out the tasks that were changed later by their own words; None leaves out none.

    Raises:
        LabelStudioError: Label Studio did not answer, refused, or its answer cannot be read.
    """
    filters: Sequence[_Filter] = _WAS_TOUCHED
    if until is not None:
        filters = _add_bound(_make_filter("updated_at", "less_or_equal", until), _WAS_TOUCHED)
    tasks = _fetch_tasks(api, number, filters, "-updated_at", page_size=1)["tasks"]
    return _read_time(tasks[0]) if tasks else None


def read_recent_tasks(api: LabelStudioApi, number: int, since: datetime) -> RecentTasks:
    """Read which tasks changed since a time, without their answers: one request, two if there are many.

    Raises:
        LabelStudioError: Label Studio did not answer, refused, or its answer cannot be read.
    """
    filters = _add_bound(_make_filter("updated_at", "greater_or_equal", since), _WAS_TOUCHED)
    listed = _fetch_tasks(api, number, filters, "updated_at")
    tasks = listed["tasks"]
    if listed["total"] > len(tasks):
        tasks = tasks + _fetch_tasks(api, number, filters, "-updated_at")["tasks"]
    times = [_read_time(task) for task in tasks]
    read = [listed["total"], *((task["id"], str(at)) for task, at in zip(tasks, times, strict=True))]
    return RecentTasks(max(times, default=None), hashlib.sha256(json.dumps(read).encode()).hexdigest())


def fetch_answered_tasks(api: LabelStudioApi, number: int) -> Iterator[list[dict[str, Any]]]:
    """Yield all tasks that have annotations or were skipped, with these, by pages in the order of their ids.

    Raises:
        LabelStudioError: a page cannot be read. Tasks without an id are named after all others were yielded.
    """
    return _fetch_by_id(api, number, _HAS_ANSWERS)


def fetch_changed_tasks(api: LabelStudioApi, number: int, since: datetime) -> Iterator[list[dict[str, Any]]]:
    """Yield the tasks that people changed since a time, with annotations, oldest change first, by pages.

    A task that is changed meanwhile can come again.

    Args:
        api: Label Studio.
        number: the project's number.
        since: by Label Studio's clock.

    Raises:
        LabelStudioError: a page cannot be read.
    """
    bound, operator = since, "greater_or_equal"
    while True:
        filters = _add_bound(_make_filter("updated_at", operator, bound), _WAS_TOUCHED)
        listed = _fetch_tasks(api, number, filters, "updated_at", fields="all")
        tasks = listed["tasks"]
        times = [_read_time(task) for task in tasks]
        if times and (times[0] < bound or times != sorted(times)):
            raise _make_order_error(number)
        if listed["total"] <= len(tasks):
            yield tasks
            return
        _check_size(number, tasks)
        if times[0] == times[-1]:  # more tasks than a page were changed at once, as a bulk action does
            yield from _fetch_by_id(api, number, [_make_filter("updated_at", "equal", times[0])])
            bound, operator = times[0], "greater"
        else:
            yield [task for task, at in zip(tasks, times, strict=True) if at < times[-1]]
            bound, operator = times[-1], "greater_or_equal"


def _fetch_by_id(
    api: LabelStudioApi, number: int, conditions: Sequence[_Filter]
) -> Iterator[list[dict[str, Any]]]:
    last, n_odd, first_odd = -1, 0, ""
    while True:
        filters = _add_bound(_make_filter("id", "greater", last), conditions)
        listed = _fetch_tasks(api, number, filters, "id", fields="all")
        tasks: list[dict[str, Any]] = []
        for task in listed["tasks"]:
            if isinstance(task, dict) and is_id(task.get("id")):
                tasks.append(task)
            else:
                n_odd, first_odd = n_odd + 1, first_odd or f"{task!r:.60}"
        ids = [last, *(task["id"] for task in tasks)]
        if any(later <= earlier for earlier, later in pairwise(ids)):
            raise _make_order_error(number)
        yield tasks
        if listed["total"] <= len(listed["tasks"]):
            break
        _check_size(number, tasks)
        last = ids[-1]
    if n_odd:
        raise LabelStudioError(
            f"{n_odd} of the tasks that Label Studio lists for project {number} have no id that a task can "
            f"have; the first is {first_odd}"
        )


def _add_bound(bound: _Filter, conditions: Sequence[_Filter]) -> list[_Filter]:
    return [{**bound, "child_filter": condition} for condition in conditions]


def _fetch_tasks(
    api: LabelStudioApi,
    number: int,
    filters: Sequence[_Filter],
    ordering: str,
    *,
    fields: str = "task_only",
    page_size: int = TASKS_PER_PAGE,
) -> TaskPageAnswer:
    """Fetch the first page of the tasks that one of the filters takes."""
    sign, name = ("-", ordering[1:]) if ordering.startswith("-") else ("", ordering)
    query = {
        "filters": {"conjunction": "or", "items": list(filters)},
        "ordering": [f"{sign}tasks:{name}"],
    }
    # "review" keeps Label Studio from asking us for predictions while it lists.
    answer = api.call(
        "GET", "/api/tasks", project=number, fields=fields, review="true", page=1, page_size=page_size,
        query=json.dumps(query),
    )  # fmt: skip
    listed = check_answer(answer, TaskPageAnswer, f"page 1 of the tasks of project {number}")
    if len(listed["tasks"]) > listed["total"]:
        raise LabelStudioError(
            f"Label Studio lists {len(listed['tasks'])} tasks of project {number} and says that it has "
            f"{listed['total']}; run this again"
        )
    return listed


def _read_time(task: Any) -> datetime:
    """Read when a task was changed.

    Raises:
        LabelStudioError: it has no id or no such time.
    """
    if not isinstance(task, dict) or not is_id(task.get("id")):
        raise LabelStudioError(f"Label Studio lists a task without an id that a task can have: {task!r:.60}")
    try:
        return parse_time(task.get("updated_at"), f"updated_at of task {task['id']}")
    except EventError as error:
        raise LabelStudioError(str(error)) from error


def _check_size(number: int, tasks: Sequence[Any]) -> None:
    if len(tasks) < MIN_TASKS_PER_PAGE:
        raise LabelStudioError(
            f"a page of the tasks of project {number} has {len(tasks)} of {TASKS_PER_PAGE} tasks and is not "
            "the last; is TASK_API_PAGE_SIZE_MAX set in Label Studio's environment?"
        )


def _make_order_error(number: int) -> LabelStudioError:
    return LabelStudioError(
        f"Label Studio does not list the tasks of project {number} in the order that was asked for; does a "
        "proxy change its addresses?"
    )

"""Predictions of ours that Label Studio has more than once, found and removed through its API.

Of several copies one set stays: the one that an annotation came from, else the newest complete one, because
the editor opens a task with the last prediction, and Label Studio refuses an answer whose prediction is gone.
What an annotation came from stays in any case. A task that somebody has a draft of is left alone until it is
submitted.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from ris.errors import LabelStudioError
from ris.labelstudio.api.protocol import LabelStudioApi
from ris.labelstudio.api.pushing import get_first_region_id

_TASKS_PER_PAGE = 100
_REGION_ID_PREFIX = "ris"  # how the ids of our regions begin


@dataclass(frozen=True, slots=True)
class DuplicatedTask:
    """A task with predictions that are there more than once.

    Attributes:
        surplus: the numbers of those that can go.
        is_open: somebody has a draft of it: nothing is removed now.
    """

    task_id: int
    surplus: tuple[int, ...]
    has_draft: bool


def find_duplicated_tasks(api: LabelStudioApi, project: int, *, more_than: int) -> Iterator[DuplicatedTask]:
    """The tasks of a project whose predictions are there more than once; one request for 100 tasks that may.

    Args:
        more_than: the size of the smallest set. Only a task with more predictions can have one twice.

    Raises:
        LabelStudioError: a page cannot be read.
    """
    item = {"filter": "filter:tasks:total_predictions", "operator": "greater", "type": "Number"}
    filters = {"conjunction": "and", "items": [{**item, "value": more_than}]}
    query = json.dumps({"filters": filters, "ordering": ["tasks:id"]})
    seen = 0
    for page in count(1):
        listed = api.call(
            "GET",
            "/api/tasks",
            project=project,
            fields="all",
            page=page,
            page_size=_TASKS_PER_PAGE,
            query=query,
        )
        tasks = listed.get("tasks") if isinstance(listed, dict) else None
        if not isinstance(tasks, list):
            raise LabelStudioError(f"Label Studio listed no tasks of project {project}: {str(listed)[:80]}")
        for task in tasks:
            if surplus := find_surplus_predictions(
                task.get("predictions") or (), task.get("annotations") or ()
            ):
                yield DuplicatedTask(
                    int(task["id"]), surplus, bool(task.get("draft_exists") or task.get("drafts"))
                )
        seen += len(tasks)
        if not tasks or seen >= int(listed.get("total", seen)):
            return


def find_surplus_predictions(
    predictions: Sequence[Mapping[str, Any]], annotations: Sequence[Mapping[str, Any]]
) -> tuple[int, ...]:
    """The numbers of one task's predictions that are copies, in order; the same for whoever looks."""
    named = {a.get("parent_prediction") for a in annotations}
    by_version: dict[str, dict[str, list[int]]] = {}
    for one in sorted(predictions, key=lambda p: int(p["id"])):
        if (told := get_first_region_id(one)).startswith(_REGION_ID_PREFIX):
            copies = by_version.setdefault(str(one.get("model_version")), {})
            copies.setdefault(told, []).append(int(one["id"]))
    surplus: list[int] = []
    for copies in by_version.values():
        kept = _choose_set_to_keep(list(copies.values()), named)
        surplus += [number for numbers in copies.values() for number in numbers if number not in kept]
    return tuple(sorted(number for number in surplus if number not in named))


def _choose_set_to_keep(copies: Sequence[Sequence[int]], named: set[Any]) -> set[int]:
    """The set that stays, of all copies of each prediction, oldest first; the i-th copies are one set."""
    sets = [{numbers[i] for numbers in copies if i < len(numbers)} for i in range(max(map(len, copies)))]
    complete = [one for one in sets if len(one) == len(copies)]
    return max(complete, key=lambda one: (len(one & named), max(one)))


def remove_surplus_predictions(api: LabelStudioApi, doubled: DuplicatedTask) -> int:
    """Delete what is surplus of one task; how many predictions that was. One that is gone is gone.

    Raises:
        LabelStudioError: Label Studio refuses, or does not answer.
    """
    removed = 0
    for number in () if doubled.has_draft else doubled.surplus:
        path = f"/api/predictions/{number}/"
        try:
            api.call("DELETE", path)
        except LabelStudioError:
            if api.exists(path):
                raise
            continue
        removed += 1
    return removed

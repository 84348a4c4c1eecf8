"""Find and remove duplicate predictions of ours in Label Studio.

Of several copies one set stays: the one that an annotation came from, else the newest complete one, because
the editor opens a task with the last prediction, and because Label Studio refuses an answer whose prediction
is gone. A prediction that an annotation came from always stays. A task with a draft is left alone until the
draft is submitted.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ris.errors import LabelStudioError
from ris.labelstudio.api.answers import PredictedTaskAnswer, check_answer
from ris.labelstudio.api.listing import fetch_tasks
from ris.labelstudio.api.protocol import LabelStudioApi
from ris.labelstudio.api.pushing import REGION_ID_PREFIX, get_first_region_id
from ris.labelstudio.fields import is_id


@dataclass(frozen=True, slots=True)
class DuplicatedTask:
    """A task with duplicate predictions.

    Attributes:
        task_id: of the task.
        surplus: the numbers of the predictions that can be removed.
        has_draft: somebody has a draft of the task: nothing is removed now.
    """

    task_id: int
    surplus: tuple[int, ...]
    has_draft: bool


def find_duplicated_tasks(api: LabelStudioApi, project: int, *, more_than: int) -> Iterator[DuplicatedTask]:
    """Yield the tasks of a project with duplicate predictions; one request per 100 candidates.

    Args:
        api: Label Studio.
        project: its number.
        more_than: the size of the smallest set of alternatives. Only tasks with more predictions are
            candidates.

    Raises:
        LabelStudioError: a page cannot be read.
    """
    item = {"filter": "filter:tasks:total_predictions", "operator": "greater", "type": "Number"}
    filters = {"conjunction": "and", "items": [{**item, "value": more_than}]}
    query = json.dumps({"filters": filters, "ordering": ["tasks:id"]})
    for listed in fetch_tasks(api, project, fields="all", query=query):
        task = check_answer(listed, PredictedTaskAnswer, f"task {listed['id']}")
        if surplus := find_surplus_predictions(task.get("predictions") or (), task.get("annotations") or ()):
            yield DuplicatedTask(task["id"], surplus, bool(task.get("draft_exists") or task.get("drafts")))


def find_surplus_predictions(
    predictions: Sequence[Mapping[str, Any]], annotations: Sequence[Mapping[str, Any]]
) -> tuple[int, ...]:
    """Find the numbers of one task's surplus copies, sorted; the same for everybody who looks."""
    used = {number for a in annotations if is_id(number := a.get("parent_prediction"))}
    by_version: dict[str, dict[str, list[int]]] = {}
    for one in sorted(predictions, key=lambda p: int(p["id"])):
        if (region_id := get_first_region_id(one)).startswith(REGION_ID_PREFIX):
            copies = by_version.setdefault(str(one.get("model_version")), {})
            copies.setdefault(region_id, []).append(int(one["id"]))
    surplus: list[int] = []
    for copies in by_version.values():
        kept_set = _choose_set_to_keep(list(copies.values()), used)
        surplus += [number for numbers in copies.values() for number in numbers if number not in kept_set]
    return tuple(sorted(number for number in surplus if number not in used))


def _choose_set_to_keep(copies: Sequence[Sequence[int]], used: set[Any]) -> set[int]:
    """Choose the set that stays.

    Args:
        copies: of each prediction, oldest first; the i-th copies of all are one set.
        used: the numbers that annotations came from.
    """
    sets = [{numbers[i] for numbers in copies if i < len(numbers)} for i in range(max(map(len, copies)))]
    complete = [one for one in sets if len(one) == len(copies)]
    return max(complete, key=lambda one: (len(one & used), max(one)))


def remove_surplus_predictions(api: LabelStudioApi, task: DuplicatedTask) -> int:
    """Delete the surplus predictions of one task; return how many were deleted.

    A prediction that is already gone is skipped.

    Raises:
        LabelStudioError: Label Studio did not answer, or refused.
    """
    removed = 0
    for number in () if task.has_draft else task.surplus:
        path = f"/api/predictions/{number}/"
        try:
            api.call("DELETE", path)
        except LabelStudioError:
            if api.exists(path):
                raise
            continue
        removed += 1
    return removed

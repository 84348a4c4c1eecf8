"""Write predictions into Label Studio through its API: late answers, and predictions made ahead.

`service/delivering.py` decides who may write when; this file looks which predictions are there, and writes
the others.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ris.core.types import Alternative, Task
from ris.errors import BackendError
from ris.labelstudio.api.answers import (
    ListedTaskAnswer,
    PredictedTaskAnswer,
    PredictionAnswer,
    TaskPageAnswer,
    check_answer,
)
from ris.labelstudio.api.projects import fetch_ml_backends, fetch_project
from ris.labelstudio.api.protocol import LabelStudioApi
from ris.labelstudio.config.control import Controls
from ris.labelstudio.fields import find_project_number, make_project_key
from ris.labelstudio.region import write_predictions

_TASKS_WITH_MASKS_PER_PAGE = 50
REGION_ID_PREFIX = "ris"  # of our region ids


@dataclass(frozen=True, slots=True)
class Parcel:
    """The predictions of one task.

    Attributes:
        task: the task.
        alternatives: best first.
        carried_expression: the expression, if it was carried from another image and is written too; else "".
    """

    task: Task
    alternatives: Sequence[Alternative]
    carried_expression: str = ""


class PredictionWriter:
    """Writes predictions into Label Studio. It recognises stored ones by their region ids."""

    def __init__(self, api: LabelStudioApi) -> None:
        self.api = api

    def can_reach(self, project: str) -> bool:
        """Tell whether our key reaches this project: another Label Studio may have one of the same number.

        Args:
            project: its key, as /predict sends it.

        Raises:
            LabelStudioError: Label Studio did not answer, or refused.
        """
        number = find_project_number(project)
        if number is None:
            return False
        found = fetch_project(self.api, number)
        try:
            return make_project_key({"project": found}) == project
        except BackendError:
            return False

    def push_all(self, project: int, parcels: Sequence[Parcel], controls: Controls, version: str) -> int:
        """Store the predictions of many tasks in one call, except those that are stored; return how many.

        Raises:
            LabelStudioRefusal: nothing of this call was stored.
            LabelStudioError: Label Studio did not answer: they may have been stored.
        """
        there = self._find_known_ids(project, [parcel.task.task_id for parcel in parcels])
        new: list[dict[str, Any]] = []
        for parcel in parcels:
            known = there.get(parcel.task.task_id, frozenset())
            written = write_predictions(
                parcel.alternatives, controls, version=version, carried_expression=parcel.carried_expression
            )
            new += [
                {"task": parcel.task.task_id, **one}
                for one in written
                if get_first_region_id(one) not in known
            ]
        if new:
            self.api.call("POST", f"/api/projects/{project}/import/predictions", new)
        return len(new)

    def remove_all(self, task: int) -> None:
        """Remove the predictions of one task that are ours, e.g. before others take their place.

        Raises:
            LabelStudioError: Label Studio did not answer, or refused.
        """
        answer = self.api.call("GET", "/api/predictions", task=task)
        for one in check_answer(answer, list[PredictionAnswer], f"the predictions of task {task}"):
            if get_first_region_id(one).startswith(REGION_ID_PREFIX):
                self.api.call("DELETE", f"/api/predictions/{one['id']}/")

    def is_stored(self, parcel: Parcel, controls: Controls, version: str) -> bool:
        """Tell whether all predictions of one task are in Label Studio.

        Raises:
            LabelStudioError: Label Studio did not answer, or refused.
        """
        known = self._find_ids(parcel.task.task_id)
        written = write_predictions(
            parcel.alternatives, controls, version=version, carried_expression=parcel.carried_expression
        )
        return all(get_first_region_id(one) in known for one in written)

    def _find_known_ids(self, project: int, tasks: Sequence[int]) -> dict[int, Collection[str]]:
        """Find the first region ids of each task's predictions: one request, and one per page with any."""
        found = [
            check_answer(one, ListedTaskAnswer, f"a task of project {project}")
            for one in self._list_tasks(project, tasks, "task_only")
        ]
        listed = {one["id"] for one in found}
        empty = {one["id"] for one in found if one.get("total_predictions") == 0}
        known: dict[int, Collection[str]] = {}
        filled = [task for task in tasks if task in listed and task not in empty]
        for start in range(0, len(filled), _TASKS_WITH_MASKS_PER_PAGE):
            part = filled[start : start + _TASKS_WITH_MASKS_PER_PAGE]
            for one in self._list_tasks(project, part, "all"):
                task = check_answer(one, PredictedTaskAnswer, f"a task of project {project}")
                known[task["id"]] = {get_first_region_id(p) for p in task.get("predictions") or ()}
        # A task that a listing does not have is asked for alone.
        return known | {t: self._find_ids(t) for t in tasks if t not in known and t not in empty}

    def _list_tasks(self, project: int, tasks: Sequence[int], fields: str) -> list[Any]:
        wanted = json.dumps({"selectedItems": {"all": False, "included": list(tasks)}})
        # "review" keeps Label Studio from asking us for predictions while it lists.
        answer = self.api.call(
            "GET", "/api/tasks", project=project, review="true", page_size=len(tasks), query=wanted,
            fields=fields,
        )  # fmt: skip
        return check_answer(answer, TaskPageAnswer, f"{len(tasks)} tasks of project {project}")["tasks"]

    def _find_ids(self, task: int) -> Collection[str]:
        answer = self.api.call("GET", "/api/predictions", task=task)
        listed = check_answer(answer, list[PredictionAnswer], f"the predictions of task {task}")
        return {get_first_region_id(one) for one in listed}

    def show_version(self, project: int, version: str) -> None:
        """Show predictions of a version in a project that has no ML backend to choose the version."""
        if not fetch_ml_backends(self.api, project):
            body = {"model_version": version, "show_collab_predictions": True}
            self.api.call("PATCH", f"/api/projects/{project}", body)


def get_first_region_id(prediction: Mapping[str, Any]) -> str:
    """Return the id of a prediction's first region, which differs for each task, version and rank."""
    regions = prediction.get("result") or ()
    return next((str(region.get("id")) for region in regions if isinstance(region, dict)), "")

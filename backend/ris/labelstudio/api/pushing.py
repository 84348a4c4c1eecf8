"""Predictions written into Label Studio through its API: what it asked for, and what was computed ahead.

Who may write when is decided in `service/delivering.py`; this file looks at what is there, and writes.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ris.core.types import Alternative, Task
from ris.errors import BackendError
from ris.labelstudio.api.protocol import LabelStudioApi
from ris.labelstudio.config.control import Controls
from ris.labelstudio.fields import make_project_key
from ris.labelstudio.region import write_predictions


@dataclass(frozen=True, slots=True)
class Parcel:
    """The predictions of one task.

    Attributes:
        offers: best first.
        words: the expression, where it was kept from another image and is written too; else "".
    """

    task: Task
    offers: Sequence[Alternative]
    words: str = ""


class PredictionWriter:
    """Writes predictions into Label Studio: what is there already is found by its region's id."""

    def __init__(self, api: LabelStudioApi) -> None:
        self.api = api

    def can_reach(self, project: str) -> bool:
        """Whether the Label Studio of our key has this very project: a number alone could be another's.

        Args:
            project: its key, as /predict says it.

        Raises:
            LabelStudioError: Label Studio does not answer, or refuses.
        """
        number = project.partition(".")[0]
        if not number.isdigit():
            return False
        found = self.api.call("GET", f"/api/projects/{number}")
        try:
            return make_project_key({"project": found}) == project
        except BackendError:
            return False

    def push_all(self, project: int, parcels: Sequence[Parcel], controls: Controls, version: str) -> int:
        """Store what is not there yet of many tasks' predictions, in one call; how many were stored.

        Raises:
            LabelStudioRefusal: nothing of this call was stored.
            LabelStudioError: it may have been stored: Label Studio did not say.
        """
        there = self._find_known_ids(project, [parcel.task.task_id for parcel in parcels])
        new: list[dict[str, Any]] = []
        for parcel in parcels:
            known = there.get(parcel.task.task_id, frozenset())
            written = write_predictions(parcel.offers, controls, version=version, words=parcel.words)
            new += [
                {"task": parcel.task.task_id, **one}
                for one in written
                if get_first_region_id(one) not in known
            ]
        if new:
            self.api.call("POST", f"/api/projects/{project}/import/predictions", new)
        return len(new)

    def is_stored(self, parcel: Parcel, controls: Controls, version: str) -> bool:
        """Whether all predictions of one task are in Label Studio.

        Raises:
            LabelStudioError: it cannot be asked.
        """
        known = self._find_ids(parcel.task.task_id)
        written = write_predictions(parcel.offers, controls, version=version, words=parcel.words)
        return all(get_first_region_id(one) in known for one in written)

    def _find_known_ids(self, project: int, tasks: Sequence[int]) -> dict[int, Collection[str]]:
        """By task, what tells its predictions apart. One request for all, and one a task that has any."""
        wanted = json.dumps({"selectedItems": {"all": False, "included": list(tasks)}})
        # "review" keeps Label Studio from asking us for predictions while it lists.
        listed = self.api.call(
            "GET", "/api/tasks", project=project, review="true", page_size=len(tasks), query=wanted
        )
        found = listed.get("tasks") if isinstance(listed, dict) else None
        empty = {one["id"] for one in found or () if one.get("total_predictions") == 0}
        return {task: self._find_ids(task) for task in tasks if task not in empty}

    def _find_ids(self, task: int) -> Collection[str]:
        return {get_first_region_id(one) for one in self.api.call("GET", "/api/predictions", task=task) or ()}

    def show_version(self, project: int, version: str) -> None:
        """Let a project show predictions of a version where no backend is connected, which would choose."""
        if not self.api.call("GET", "/api/ml", project=project):
            body = {"model_version": version, "show_collab_predictions": True}
            self.api.call("PATCH", f"/api/projects/{project}", body)


def get_first_region_id(prediction: Mapping[str, Any]) -> str:
    """What tells one of our predictions from another: its first region's id is of task, version and rank."""
    return next((str(region.get("id")) for region in prediction.get("result") or ()), "")

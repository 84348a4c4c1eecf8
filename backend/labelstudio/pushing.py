"""Predictions brought to Label Studio through its API: what was late, and what was computed ahead."""

import logging
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any, Protocol

from backend.core.types import Offer, Task
from backend.errors import LabelStudioError
from backend.labelstudio.control import Controls
from backend.labelstudio.region import write_predictions

log = logging.getLogger(__name__)


class Api(Protocol):
    """What is needed of Label Studio; `LabelStudioClient` has it."""

    def call(self, method: str, path: str, body: object = None, **params: Any) -> Any: ...


class Pushing:
    """Writes predictions into Label Studio, each once: what is there already is found by its region's id."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self._lock = Lock()

    def push(self, task: Task, offers: Sequence[Offer], controls: Controls, version: str) -> bool:
        """Store the predictions of a late task; whether any were stored.

        Never raises: what Label Studio refuses is logged, and it can ask again.
        """
        try:
            with self._lock:
                pushed = self.push_all(int(task.project.split(".")[0]), [(task, offers)], controls, version)
        except (LabelStudioError, ValueError) as error:
            log.warning("task %s of project %s could not be brought: %s", task.task_id, task.project, error)
            return False
        if pushed:
            log.info("task %s of project %s was late and has been brought", task.task_id, task.project)
        return pushed > 0

    def push_all(
        self,
        project: int,
        answers: Sequence[tuple[Task, Sequence[Offer]]],
        controls: Controls,
        version: str,
    ) -> int:
        """Store what is not there yet of many tasks' predictions, in one call; how many were stored.

        Raises:
            LabelStudioError: Label Studio refuses; nothing of this call is stored then.
        """
        new: list[dict[str, Any]] = []
        for task, offers in answers:
            there = self.api.call("GET", "/api/predictions", task=task.task_id)
            known = {_first_id(one) for one in there or ()}
            written = write_predictions(offers, controls, version=version)
            new += [{"task": task.task_id, **one} for one in written if _first_id(one) not in known]
        if new:
            self.api.call("POST", f"/api/projects/{project}/import/predictions", new)
        return len(new)

    def show(self, project: int, version: str) -> None:
        """Let a project show predictions of a version where no backend is connected, which would choose."""
        if not self.api.call("GET", "/api/ml", project=project):
            body = {"model_version": version, "show_collab_predictions": True}
            self.api.call("PATCH", f"/api/projects/{project}", body)


def _first_id(prediction: Mapping[str, Any]) -> str:
    """What tells one of our predictions from another: its first region's id is of task, version and rank."""
    return next((str(region.get("id")) for region in prediction.get("result") or ()), "")

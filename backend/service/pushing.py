"""What was not ready when Label Studio asked is brought to it afterwards, through its API."""

import logging
from collections.abc import Sequence
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
    """Writes predictions into Label Studio, once for each task and version."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self._lock = Lock()

    def push(self, task: Task, offers: Sequence[Offer], controls: Controls, version: str) -> bool:
        """Store the predictions of a task, unless it has some of this version; whether they were stored.

        Never raises: what Label Studio refuses is logged, and it can ask again.
        """
        try:
            with self._lock:
                return self._push(task, offers, controls, version)
        except LabelStudioError as error:
            log.warning("task %s of project %s could not be brought: %s", task.task_id, task.project, error)
            return False

    def _push(self, task: Task, offers: Sequence[Offer], controls: Controls, version: str) -> bool:
        there = self.api.call("GET", "/api/predictions", task=task.task_id)
        if any(p.get("model_version") == version for p in there or ()):
            return False
        for prediction in write_predictions(offers, controls, version=version):
            self.api.call("POST", "/api/predictions", {"task": task.task_id, **prediction})
        log.info("task %s of project %s was late and has been brought", task.task_id, task.project)
        return True

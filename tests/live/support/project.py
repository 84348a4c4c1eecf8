"""A project in Label Studio, made and connected through its API."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ris.errors import LabelStudioError
from ris.labelstudio.api.client import LabelStudioClient


@dataclass(frozen=True, slots=True)
class Project:
    """One project of a Label Studio, and what the demo does with it."""

    client: LabelStudioClient
    project_id: int

    @classmethod
    def create(
        cls, client: LabelStudioClient, title: str, label_config: str, pictures: Sequence[bytes]
    ) -> "tuple[Project, list[str]]":
        """Make a project and upload its pictures; the references that tasks can use, in order.

        Uploads come before the label config: with two data keys in it Label Studio refuses them.
        """
        made = client.call("POST", "/api/projects", {"title": title})
        project = cls(client, int(made["id"]))
        stored = [
            client.upload(project.project_id, f"scene-{i:02d}.png", data) for i, data in enumerate(pictures)
        ]
        client.call("PATCH", f"/api/projects/{project.project_id}", {"label_config": label_config})
        return project, stored

    @property
    def key(self) -> str:
        """How backends know it: "<id>.<created_at as whole seconds>"."""
        created = self.client.call("GET", f"/api/projects/{self.project_id}")["created_at"]
        return f"{self.project_id}.{int(datetime.fromisoformat(created.replace('Z', '+00:00')).timestamp())}"

    def import_tasks(self, data: Iterable[dict[str, Any]]) -> list[int]:
        """Import tasks; their ids, in order."""
        body = [{"data": fields} for fields in data]
        answer = self.client.call(
            "POST", f"/api/projects/{self.project_id}/import", body, return_task_ids="true"
        )
        return [int(i) for i in answer["task_ids"]]

    def connect(self, backend_url: str) -> None:
        """Add the backend, and the webhook when Label Studio made none."""
        body = {"url": backend_url, "project": self.project_id, "title": "ris"}
        self.client.call("POST", "/api/ml", body)
        hooks = self.client.call("GET", "/api/webhooks/", project=self.project_id)
        wanted = f"{backend_url}/webhook"
        if not any(hook["url"] == wanted for hook in hooks):
            hook = {
                "url": wanted,
                "project": self.project_id,
                "send_payload": True,
                "send_for_all_actions": True,
            }
            self.client.call("POST", "/api/webhooks/", hook)

    def retrieve_predictions(self, task_ids: Sequence[int]) -> None:
        """The Data Manager's action: Label Studio asks the backend for these tasks and stores the answers."""
        selected = {"all": False, "included": list(task_ids)}
        self.client.call(
            "POST", "/api/dm/actions", {"selectedItems": selected, "project": str(self.project_id)},
            id="retrieve_tasks_predictions", project=self.project_id,
        )  # fmt: skip

    def predictions(self, task_id: int) -> list[dict[str, Any]]:
        """What is stored for a task, best first."""
        found = self.client.call("GET", "/api/predictions/", task=task_id)
        return sorted(found, key=lambda p: p["score"], reverse=True)

    def annotate(self, task_id: int, result: list[dict[str, Any]], **more: Any) -> int:
        """Submit an annotation; its id."""
        body = {"result": result, "lead_time": 3.5, **more}
        return int(self.client.call("POST", f"/api/tasks/{task_id}/annotations/", body)["id"])

    def wait_for_predictions(self, task_ids: Sequence[int], *, timeout_s: float = 900) -> None:
        """Ask again for the tasks that have none yet, until all have some.

        Raises:
            LabelStudioError: some still have none.
        """
        deadline = time.monotonic() + timeout_s
        missing = [i for i in task_ids if not self.predictions(i)]
        while missing:
            if time.monotonic() > deadline:
                raise LabelStudioError(
                    f"tasks {missing} have no predictions after {timeout_s:g} s; see backend.log"
                )
            self.retrieve_predictions(missing)
            missing = [i for i in missing if not self.predictions(i)]

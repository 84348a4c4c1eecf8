"""A fake Label Studio with one project, whose tasks people answer, change and delete."""

from datetime import UTC, datetime, timedelta

from ris.errors import LabelStudioError
from ris.label_config import read
from tests.builders.events import PROJECT
from tests.builders.task_lists import list_tasks

START, FORMAT = datetime(2026, 1, 1, tzinfo=UTC), "%Y-%m-%dT%H:%M:%S.%fZ"


class SyncedStudio:
    """A project with tasks; `hidden` annotations are left out of the listing, as a stale page does.

    Attributes:
        moment: the time of the last change, in seconds of its clock; every change of a task adds one.
        listed: the queries of the listings with answers; `n_calls` counts all calls.
    """

    def __init__(self):
        self.tasks, self.hidden, self.listed, self.n_calls = {}, set(), [], 0
        self.label_config, self.moment, self.created_at = read("tabs_brush.xml"), 0, PROJECT["created_at"]

    def put(self, body):
        task = self.tasks.setdefault(body["task"]["id"], {**body["task"], "annotations": {}})
        task["annotations"][body["annotation"]["id"]] = body["annotation"]
        self.touch(task)

    def touch(self, task):
        self.moment += 1
        task |= {"updated_at": f"{START + timedelta(seconds=self.moment):{FORMAT}}", "updated_by": 1}

    def delete(self, annotation_id):
        for task in self.tasks.values():
            if task["annotations"].pop(annotation_id, None):
                self.touch(task)

    def exists(self, path):
        return any(int(path.split("/")[3]) in task["annotations"] for task in self.tasks.values())

    def read_server_time(self):
        return START + timedelta(seconds=self.moment)

    def call(self, method, path, body=None, **params):
        self.n_calls += 1
        if path == "/api/projects/1":
            return PROJECT | {
                "created_at": self.created_at, "label_config": self.label_config, "token": "secret",
            }  # fmt: skip
        if path == "/api/users":
            return [{"id": 7, "first_name": "Ada", "last_name": "", "username": "ada"}]
        if path in ("/api/ml", "/api/webhooks/") and method == "GET":
            return getattr(self, path.strip("/").split("/")[1], [])
        if method == "POST" and path == "/api/webhooks/":
            self.webhooks.append({"id": 6, **body})
            return self.webhooks[-1]
        if path.startswith("/api/webhooks/"):
            (hook,) = self.webhooks
            hook.update(body)
            return hook
        if method == "DELETE":
            number = int(path.split("/")[3])
            for task in self.tasks.values():
                kept = [p for p in task.get("predictions", ()) if p["id"] != number]
                task["predictions"] = kept
            return None
        if path != "/api/tasks":
            raise LabelStudioError(f"Label Studio answered 404 to {method} {path}")
        if params["fields"] == "all":
            self.listed.append(params["query"])
        return list_tasks([self._shown(task) for task in self.tasks.values()], params)

    def _shown(self, task):
        kept = [a for i, a in task["annotations"].items() if i not in self.hidden]
        return {**task, "annotations": kept}

"""A fake Label Studio in which projects are made and filled, as `ris adjudicate` does it."""

from ris.errors import LabelStudioError, LabelStudioRefusal
from tests.builders.task_lists import list_tasks


class AdjudicatedStudio:
    """Projects with tasks and predictions.

    Attributes:
        projects, tasks, predictions: by their numbers, as Label Studio describes them.
        fails_at: part of the path of the call that fails next, once.
        hooks: the webhooks.
        n_calls: number of all calls.
    """

    url = "http://studio.example"

    def __init__(self):
        self.projects, self.tasks, self.predictions, self.hooks = {}, {}, {}, []
        self.fails_at, self.ml, self.n_calls = "", [], 0

    def exists(self, path):
        return True

    def read_server_time(self):
        return None

    def add_project(self, **fields):
        number = len(self.projects) + 5
        self.projects[number] = {"id": number, "created_at": "2026-01-01T00:00:00Z", **fields}
        return self.projects[number]

    def call(self, method, path, body=None, **params):
        self.n_calls += 1
        if self.fails_at and self.fails_at in path and method == "POST":
            self.fails_at = ""
            raise LabelStudioError("Label Studio does not answer")
        parts = path.strip("/").split("/")[1:]
        return getattr(self, f"_{method.lower()}_{parts[0]}")(parts[1:], body, params)

    def _get_users(self, parts, body, params):
        return [{"id": 7, "first_name": "Ada", "last_name": "", "username": "ada"}]

    def _get_ml(self, parts, body, params):
        return self.ml

    def _get_webhooks(self, parts, body, params):
        return self.hooks

    def _post_webhooks(self, parts, body, params):
        self.hooks.append({"id": 1, **body})

    def _get_projects(self, parts, body, params):
        if parts:
            return self.projects[int(parts[0])]
        found = [one for one in self.projects.values() if params["title"].lower() in one["title"].lower()]
        return {"count": len(found), "results": found}

    def _post_projects(self, parts, body, params):
        if not parts:
            return self.add_project(**body)
        if parts[1:] == ["import"]:
            return {"task_count": len(body), "task_ids": [self._add_task(int(parts[0]), one) for one in body]}
        for one in body:
            self.predictions[len(self.predictions) + 1000] = one
        return {"created": len(body)}

    def _patch_projects(self, parts, body, params):
        if "model_version" in body and not any(
            one["model_version"] == body["model_version"] for one in self.predictions.values()
        ):
            raise LabelStudioRefusal("Label Studio answered 400: there is no such version")
        self.projects[int(parts[0])] |= body

    def _add_task(self, project, task):
        number = max(self.tasks, default=99) + 1
        self.tasks[number] = {"id": number, "project": project, "annotations": [], **task}
        return number

    def _get_tasks(self, parts, body, params):
        shown = [
            {**task, "predictions": self.of(number)}
            for number, task in self.tasks.items()
            if task["project"] == params["project"]
        ]
        return list_tasks(shown, params)

    def _get_predictions(self, parts, body, params):
        return self.of(params["task"])

    def _delete_predictions(self, parts, body, params):
        del self.predictions[int(parts[0])]

    def of(self, task):
        """The predictions of a task."""
        return [{"id": i, **one} for i, one in self.predictions.items() if one["task"] == task]

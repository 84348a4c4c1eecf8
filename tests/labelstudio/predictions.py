"""A fake Label Studio that stores tasks, predictions and annotations as the real one does, without HTTP."""

import json
from collections import Counter

from ris.errors import LabelStudioError, LabelStudioRefusal

CREATED_AT = "2023-11-14T22:13:20.5Z"
PROJECT = "1.1700000000"
LATER = "2026-01-02T03:04:05.678901Z"


class PredictionStore:
    """One project.

    Attributes:
        refuses: tasks that it takes no predictions of.
        fails: "before" or "after" it did what is asked next, it does not answer.
        calls: what was asked, by method and path.
    """

    def __init__(self, tasks=(), label_config=""):
        self.tasks = {number: {"image": "/a", "expression": "mug"} for number in tasks}
        self.predictions, self.annotations, self.drafts = {}, {}, set()
        self.label_config, self.refuses, self.fails = label_config, set(), ""
        self.calls, self._numbers = Counter(), iter(range(1, 10**9))

    def call(self, method, path, body=None, **params):
        self.calls[f"{method} {path}"] += 1
        fails, self.fails = self.fails, ""
        if fails == "before":
            raise LabelStudioError("Label Studio does not answer: ConnectTimeout")
        answer = self._answer(method, path, body, params)
        if fails == "after":
            raise LabelStudioError("Label Studio does not answer: ReadTimeout")
        return answer

    def exists(self, path):
        return int(path.rstrip("/").split("/")[-1]) in self.annotations

    def _answer(self, method, path, body, params):
        if (method, path) == ("GET", "/api/projects/1"):
            return {"id": 1, "created_at": CREATED_AT, "label_config": self.label_config}
        if (method, path) == ("GET", "/api/tasks"):
            return self._make_list(params)
        if (method, path) == ("GET", "/api/predictions"):
            return self.of(params["task"])
        if (method, path) == ("POST", "/api/projects/1/import/predictions"):
            if wrong := {p["task"] for p in body} & self.refuses:
                raise LabelStudioRefusal(f"Label Studio answered 400 to {method} {path}: {sorted(wrong)}")
            for prediction in body:
                self.store(prediction)
            return {"created": len(body)}
        if method == "DELETE" and path.startswith("/api/predictions/"):
            number = int(path.rstrip("/").split("/")[-1])
            if number not in self.predictions:
                raise LabelStudioRefusal(f"Label Studio answered 404 to {method} {path}")
            del self.predictions[number]
            return None
        raise AssertionError(f"{method} {path} is not known here")

    def store(self, prediction):
        """Store a prediction, also one that is stored already; return its number."""
        number = next(self._numbers)
        self.predictions[number] = {"id": number, **prediction}
        return number

    def annotate(self, task, result=(), parent=None):
        number = next(self._numbers)
        self.annotations[number] = {
            "id": number, "task": task, "result": list(result), "parent_prediction": parent,
            "updated_at": LATER, "created_at": LATER, "was_cancelled": False, "completed_by": 1,
        }  # fmt: skip
        return number

    def of(self, task):
        return [p for p in self.predictions.values() if p["task"] == task]

    def _make_list(self, params):
        query = json.loads(params.get("query", "{}"))
        chosen = query.get("selectedItems", {}).get("included") or sorted(self.tasks)
        for item in query.get("filters", {}).get("items", ()):
            assert (item["filter"], item["operator"]) == ("filter:tasks:total_predictions", "greater")
            chosen = [t for t in chosen if len(self.of(t)) > item["value"]]
        chosen = [t for t in chosen if t in self.tasks]
        size = params.get("page_size", 100)
        start = (params.get("page", 1) - 1) * size
        page = [self._task(t, everything=params.get("fields") == "all") for t in chosen[start : start + size]]
        return {"tasks": page, "total": len(chosen)}

    def _task(self, number, *, everything):
        told = {"id": number, "data": self.tasks[number], "total_predictions": len(self.of(number))}
        if not everything:
            return told
        mine = [a for a in self.annotations.values() if a["task"] == number]
        return told | {
            "predictions": self.of(number), "annotations": mine, "draft_exists": number in self.drafts,
        }  # fmt: skip

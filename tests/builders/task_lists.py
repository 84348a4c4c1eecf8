"""Label Studio's listing of tasks, as /api/tasks answers it: filters, one ordering, pages."""

import json
from datetime import datetime

from ris.errors import LabelStudioMissing

OPERATORS = {
    "greater": lambda a, b: a > b,
    "greater_or_equal": lambda a, b: a >= b,
    "less_or_equal": lambda a, b: a <= b,
    "equal": lambda a, b: a == b,
}


def read_moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def is_taken(task, item):
    """Tell whether a filter, with its child, takes a task."""
    name = item["filter"].removeprefix("filter:tasks:")
    if item["operator"] == "empty":
        holds = (task.get(name) is None) == item["value"]
    elif item["type"] == "Datetime":
        holds = OPERATORS[item["operator"]](read_moment(task[name]), read_moment(item["value"]))
    else:
        holds = OPERATORS[item["operator"]](task.get(name, 0), item["value"])
    return holds and ("child_filter" not in item or is_taken(task, item["child_filter"]))


def list_tasks(tasks, params):
    """Answer GET /api/tasks: one page of the tasks, whose counts are those of their annotations."""
    query = json.loads(params.get("query") or "{}")
    chosen = [add_counts(task) for task in tasks]
    included = query.get("selectedItems", {}).get("included")
    if included:
        chosen = [task for task in chosen if task["id"] in included]
    if items := query.get("filters", {}).get("items"):
        combine = any if query["filters"]["conjunction"] == "or" else all
        chosen = [task for task in chosen if combine(is_taken(task, item) for item in items)]
    for column in query.get("ordering", ())[:1]:
        is_time = column.endswith("updated_at")
        key = (lambda t: read_moment(t["updated_at"])) if is_time else (lambda t: t["id"])
        chosen.sort(key=key, reverse=column.startswith("-"))
    size, page = int(params.get("page_size", 100)), int(params.get("page", 1))
    if page > 1 and (page - 1) * size >= len(chosen):
        raise LabelStudioMissing("Label Studio answered 404 to GET /api/tasks: Invalid page.")
    shown = chosen[(page - 1) * size : page * size]
    if params.get("fields") != "all":
        shown = [{k: v for k, v in task.items() if k not in ("annotations", "predictions")} for task in shown]
    return {"tasks": shown, "total": len(chosen)}


def add_counts(task):
    answers = [one for one in task.get("annotations", ()) if isinstance(one, dict)]
    skipped = sum(bool(one.get("was_cancelled")) for one in answers)
    counts = {
        "cancelled_annotations": skipped,
        "total_annotations": len(answers) - skipped,
        "total_predictions": len(task.get("predictions", ())),
        "updated_by": [{"user_id": 1}] if answers else None,
        "updated_at": max((one.get("updated_at") or "" for one in answers), default="2025-01-01T00:00:00Z"),
    }
    return {**counts, **task}

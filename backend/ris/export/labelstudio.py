"""Label Studio's own JSON: tasks with annotations and predictions, for import into another project."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from ris.core.decision import Decision
from ris.core.types import Task
from ris.errors import LabelConfigError
from ris.export.text import open_json_list
from ris.labelstudio.answer import write_answer
from ris.labelstudio.config.control import Controls
from ris.labelstudio.region import write_predictions


def write_labelstudio(
    decisions: Iterable[Decision], folder: Path, controls: Mapping[str, Controls], default: Controls
) -> set[str]:
    """Write `labelstudio.json`: one task for each image and expression, with all its annotations.

    Skipped annotations are included.

    Args:
        decisions: the decisions to write, by project and task.
        folder: the folder; created if missing.
        controls: by project, how its label config writes masks.
        default: the same for projects whose label config is unknown.

    Returns:
        The keys of the projects.
    """
    projects: set[str] = set()
    with open_json_list(folder / "labelstudio.json") as written:
        for (project, _), own in groupby(decisions, key=_get_task_key):
            projects.add(project)
            for entry in _make_tasks(own, controls.get(project, default), default):
                written.add(entry)
    return projects


def _get_task_key(decision: Decision) -> tuple[str, int]:
    task = decision.correction.annotation.task
    return task.project, task.task_id


def _make_tasks(decisions: Iterable[Decision], own: Controls, default: Controls) -> list[dict[str, Any]]:
    """Make the entries of one task: several if its image or expression was changed."""
    tasks: dict[tuple[str, str], dict[str, Any]] = {}
    for decision in decisions:
        task = decision.correction.annotation.task
        entry = tasks.setdefault(
            (task.image_url, task.expression),
            {
                "data": _make_data(task, own, default),
                "meta": {"project": task.project, "task_id": task.task_id},
                "annotations": [],
                "predictions": [],
            },
        )
        entry["annotations"].append(_make_annotation(decision, own))
        if decision.version and not entry["predictions"]:
            entry["predictions"] = write_predictions(decision.alternatives, own, version=decision.version)
    return list(tasks.values())


def _make_data(task: Task, own: Controls, default: Controls) -> dict[str, Any]:
    """Make the data of a task for its label config, or for the default one if that cannot show the image."""
    try:
        return own.to_data(task.image_url, task.expression)
    except LabelConfigError:
        return default.to_data(task.image_url, task.expression)


def _make_annotation(decision: Decision, controls: Controls) -> dict[str, Any]:
    annotation = decision.correction.annotation
    return {
        # Label Studio stores the id as `import_id`, so the import is not recorded as a new decision.
        "id": annotation.annotation_id,
        "result": write_answer(decision.correction, decision.alternatives, controls),
        "was_cancelled": annotation.cancelled,
        "lead_time": annotation.lead_time_s,
        "ground_truth": False,
        "meta": {"annotation_id": annotation.annotation_id, "completed_by": annotation.annotator},
    }

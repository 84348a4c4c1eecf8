"""Read one annotation of Label Studio: which task it answers, and which mask it means."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ris.core.types import MAX_LEAD_TIME_S, Annotation, Size, Task
from ris.errors import EmptyMaskError, InputError, RegionError
from ris.labelstudio.choice import drop_alternatives_for, find_typed_expression, select_meant_regions
from ris.labelstudio.config.control import Controls
from ris.labelstudio.fields import is_id, parse_time, read_id
from ris.labelstudio.result import read_mask
from ris.labelstudio.selected_choices import is_expression_carried
from ris.labelstudio.task import read_task

SizeLookup = Callable[[Task], Size | None]
"""Looks up the size of a task's image, (height, width); None where it is not on record."""


def find_no_size(task: Task) -> Size | None:
    """Return None: no image's size is on record."""
    return None


def read_annotation(
    annotation: Mapping[str, Any],
    task: Mapping[str, Any],
    project: str,
    controls: Controls,
    size_of: SizeLookup,
) -> Annotation:
    """Read one annotation with its task.

    Args:
        annotation: as Label Studio sends it.
        task: the task of the annotation, as Label Studio sends it.
        project: the project's key.
        controls: the label config's tags.
        size_of: looks up the size of the task's image.

    Raises:
        InputError: a part of it cannot be read; the message says which and what to do.
    """
    is_skipped = _is_skipped(annotation)
    read, regions = read_answer(annotation, task, project, controls)
    mask, region_ids = read_mask(regions, size_of(read) if regions else None)
    return Annotation(
        annotation_id=read_id(annotation, "id"),
        task=read,
        updated_at=read_updated_at(annotation),
        mask=mask,
        region_ids=region_ids,
        cancelled=is_skipped,
        annotator=_read_user_id(annotation.get("completed_by")),
        lead_time_s=_read_lead_time(annotation.get("lead_time")),
        carried_expression=_read_carried_expression(
            [] if is_skipped else annotation["result"], controls, read.expression
        ),
        parent_prediction=parent if is_id(parent := annotation.get("parent_prediction")) else None,
    )


def read_answer(
    annotation: Mapping[str, Any], task: Mapping[str, Any], project: str, controls: Controls
) -> tuple[Task, Sequence[Any]]:
    """Read which task, with which expression, an annotation answers, and the regions that it means.

    A skipped annotation means no region: its result is not read.

    Raises:
        InputError: the task cannot be read, there is no expression, or the rule
            (`choice.select_meant_regions`) does not cover the answer.
    """
    if _is_skipped(annotation):
        return read_task(task, project, controls), []
    result: Any = annotation.get("result")
    if not isinstance(result, list):
        raise RegionError(
            f"an answer needs its result, a list of regions, got {type(result).__name__}: an API client must "
            "write [] where no object is meant"
        )
    answered = read_task(task, project, controls, typed=find_typed_expression(result, controls))
    if not answered.expression:
        raise InputError(
            f"nothing was typed in {controls.expression_area!r}, and the task has no expression: type one"
        )
    before = read_task(task, project, controls).expression if controls.expression_area else ""
    if before in ("", answered.expression):
        return answered, select_meant_regions(result, controls)
    regions = select_meant_regions(drop_alternatives_for(before, result, answered), controls)
    if not regions and select_meant_regions(result, controls):
        raise EmptyMaskError(
            f"all masks on the image were offered for {before!r:.60}, and "
            f"{answered.expression!r:.60} was typed: draw or choose a mask, or choose that there is no such "
            "thing"
        )
    return answered, regions


def _is_skipped(annotation: Mapping[str, Any]) -> bool:
    """Tell whether an annotation is a skip. API clients have written 1 and "true" for true."""
    return str(annotation.get("was_cancelled")).lower() in ("true", "1")


def read_updated_at(annotation: Mapping[str, Any]) -> datetime:
    """Read when an annotation was changed last, in UTC.

    Raises:
        EventError: it has no such time.
    """
    return parse_time(
        annotation.get("updated_at") or annotation.get("created_at"), "the annotation's updated_at"
    )


def _read_lead_time(value: object) -> float | None:
    """Read a lead time in seconds; None if the value is no number from 0 to a year. The answer counts."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value <= MAX_LEAD_TIME_S else None  # type: ignore[operator,arg-type]


def _read_carried_expression(result: Sequence[Any], controls: Controls, expression: str) -> str | None:
    if not controls.expression_area or controls.keep_choice is None:
        return None
    return expression if is_expression_carried(result, controls) else ""


def _read_user_id(value: object) -> int | None:
    if isinstance(value, dict):
        value = value.get("id")
    return value if is_id(value) else None

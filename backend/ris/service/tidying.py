"""Tidy annotations in Label Studio, on request: only the chosen mask of an answer stays."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ris.errors import BackendError, LabelStudioError
from ris.labelstudio.annotation import read_answer
from ris.labelstudio.api.protocol import LabelStudioApi
from ris.labelstudio.api.sync import fetch_annotation_states, read_project
from ris.labelstudio.config.control import Controls, read_controls
from ris.labelstudio.fields import make_project_key


@dataclass(frozen=True, slots=True)
class TidyResult:
    """The result for one annotation.

    Attributes:
        annotation_id: its id in Label Studio.
        n_removed: the number of regions removed; 0 when it was tidy.
        failure: why it could not be tidied; "" when it could.
    """

    annotation_id: int
    n_removed: int
    failure: str = ""


def tidy_project(api: LabelStudioApi, number: int, *, dry_run: bool) -> Iterator[TidyResult]:
    """Remove the regions of unchosen alternatives from every annotation of a project, and yield each result.

    The choice stays, so the annotation keeps its mask and its verdict. Skipped annotations, and regions that
    are not masks, stay as they are. Label Studio sends a webhook for each change, and every version stays on
    record.

    Args:
        api: calls Label Studio.
        number: the project's id.
        dry_run: count the regions, and change nothing.

    Raises:
        LabelStudioError: the project cannot be read.
        LabelConfigError: its label config has no place for a mask.
    """
    project = read_project(api, number)
    controls = read_controls(str(project.body.get("label_config") or ""))
    for answer in fetch_annotation_states(api, project):
        annotation = answer.event["annotation"]
        task, key = answer.event["task"], make_project_key(answer.event)
        yield _tidy_annotation(api, annotation, task, key, controls, dry_run=dry_run)


def _tidy_annotation(
    api: LabelStudioApi,
    annotation: dict[str, Any],
    task: dict[str, Any],
    project: str,
    controls: Controls,
    *,
    dry_run: bool,
) -> TidyResult:
    number, result = int(annotation["id"]), annotation.get("result") or []
    if annotation.get("was_cancelled"):
        return TidyResult(number, 0)
    try:
        _, wanted = read_answer(annotation, task, project, controls)
        kept = select_wanted_regions(result, wanted, controls)
        removed = len(result) - len(kept)
        if removed and not dry_run:
            api.call("PATCH", f"/api/annotations/{number}/", {"result": kept})
    except LabelStudioError as error:
        return TidyResult(number, 0, str(error))
    except BackendError as error:
        return TidyResult(number, 0, f"not changed: {error}")
    return TidyResult(number, removed)


def select_wanted_regions(result: Sequence[Any], wanted: Sequence[Any], controls: Controls) -> list[Any]:
    """Return the regions of an annotation that stay: the wanted masks, and all that is not a mask, in order.

    Args:
        result: all regions of the annotation.
        wanted: the mask regions to keep, objects of `result`.
        controls: of the project's label config.
    """
    return [r for r in result if not _is_mask_region(r, controls) or any(r is one for one in wanted)]


def _is_mask_region(region: Any, controls: Controls) -> bool:
    return isinstance(region, dict) and region.get("from_name") == controls.from_name

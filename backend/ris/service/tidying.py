"""Tidying up in Label Studio, on request: of a decided answer only the chosen mask stays."""

from collections.abc import Callable, Sequence
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
    """What became of one annotation.

    Attributes:
        removed: how many regions went; 0 when it was tidy.
        failure: why it could not be done; "" when it could.
    """

    annotation_id: int
    n_removed: int
    failure: str = ""


def tidy_project(
    api: LabelStudioApi, number: int, *, dry_run: bool, looked: Callable[[], None]
) -> list[TidyResult]:
    """Rewrite every answered annotation of a project to the regions that it means, and its choices.

    The choice stays in it, so that it reads the same afterwards: the same mask, the same verdict. Skipped
    answers stay as they are, and so does everything that no choice speaks of. Label Studio tells of each
    change, and the history here keeps every version.

    Args:
        dry_run: look, and change nothing.
        looked: called after each annotation.

    Raises:
        LabelStudioError: the project cannot be read.
        LabelConfigError: its label config has no place for a mask.
    """
    project = read_project(api, number)
    controls = read_controls(str(project.body.get("label_config") or ""))
    found = []
    for answer in fetch_annotation_states(api, project):
        annotation = answer.event["annotation"]
        task, key = answer.event["task"], make_project_key(answer.event)
        found.append(_tidy_annotation(api, annotation, task, key, controls, dry_run=dry_run))
        looked()
    return found


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
        return TidyResult(number, 0, f"left as it is: {error}")
    return TidyResult(number, removed)


def select_wanted_regions(result: Sequence[Any], wanted: Sequence[Any], controls: Controls) -> list[Any]:
    """The regions that an answer means, and everything in it that is no mask, in their order."""
    return [r for r in result if not _is_mask_region(r, controls) or any(r is one for one in wanted)]


def _is_mask_region(region: Any, controls: Controls) -> bool:
    return isinstance(region, dict) and region.get("from_name") == controls.from_name

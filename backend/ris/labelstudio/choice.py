"""The rule that tells which regions of an answer are meant. docs/decisions.md has it as a table.

An answer that the rule does not cover is an error with a sentence. Its event is kept as failed and can be
replayed; no verdict is made.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ris.core.types import Task
from ris.errors import ChoiceError, EmptyMaskError, RegionError
from ris.labelstudio.config.control import Controls
from ris.labelstudio.region import REFINED_SUFFIX, get_alternative_id, make_region_id
from ris.labelstudio.result import find_other_object, is_point_region, select_drawn_regions
from ris.labelstudio.selected_choices import SelectedChoices, read_region_labels, read_selected_choices

# The region ids of our alternatives; our other region ids begin differently.
ALTERNATIVE_ID_PATTERN = re.compile(r"ris[a-z0-9]+-\d+")
_CHANGED_ORIGIN = "prediction-changed"  # of a region of a prediction that an annotator changed


def select_meant_regions(result: Sequence[Any], controls: Controls) -> list[Any]:
    """Select the regions that an answer means; [] if the expression has no referent.

    * The choice "object not in image": none, whatever is on the image.
    * One or several ranks of the presentation "pick": the regions under the labels of these ranks.
    * "drew it myself": the regions that are not ours or were changed; with ranks, these too.
    * No choice: all regions on the image. In "pick" they must have one label.
    * No choice and nothing drawn: none.

    Raises:
        RegionError: an entry is no region, is drawn on nothing that is shown, or only prompts are on the
            image.
        ChoiceError: a choice is not one of the label config's, has no region, contradicts another one, or no
            choice was made and several alternatives are on the image.
    """
    if not isinstance(result, list):
        raise RegionError(f"an annotation's result must be a list of regions, got {type(result).__name__}")
    drawn = select_drawn_regions(result, controls)
    masks = [region for region in drawn if region.get("from_name") not in controls.prompt_tools]
    selected = read_selected_choices(
        result, controls, {label for region in masks for label in read_region_labels(region, controls)}
    )
    if selected.no_referent:
        return []
    if selected.choice_by_label or selected.own:
        return _select_chosen_regions(masks, selected, controls)
    if not masks and (elsewhere := find_other_object(result, controls)):
        raise EmptyMaskError(
            f"the only thing drawn is on {elsewhere!r:.40} and not on the image: draw the mask on the "
            "image, or say that the object is not in the image"
        )
    if drawn and not masks:
        raise EmptyMaskError(
            "only clicks or boxes that ask for a mask were left on the image, and no mask: draw the mask, or "
            "say that the object is not in the image"
        )
    _check_needs_no_choice(masks, controls)
    return masks


def _select_chosen_regions(
    masks: Sequence[Mapping[str, Any]], selected: SelectedChoices, controls: Controls
) -> list[Any]:
    for label, choice in selected.choice_by_label.items():
        if not any(label in read_region_labels(region, controls) for region in masks):
            raise ChoiceError(f"{choice!r} was chosen and no mask has that label")
    found = [
        region for region in masks if read_region_labels(region, controls) & selected.choice_by_label.keys()
    ]
    if not selected.own:
        return found
    own = [region for region in masks if not _is_untouched_alternative(region)]
    if not any(not is_point_region(region) for region in own):
        raise ChoiceError(f"{selected.own!r} was chosen and nothing was drawn")
    return [region for region in masks if any(region is one for one in (*found, *own))]


def _check_needs_no_choice(masks: Sequence[Mapping[str, Any]], controls: Controls) -> None:
    """Refuse an answer without a choice in "pick" if several alternatives are on the image."""
    labels = {read_region_labels(region, controls) for region in masks if not is_point_region(region)}
    if controls.pick and len(labels) > 1:
        raise ChoiceError(
            f"nothing was chosen in {controls.pick.from_name!r}, and masks have {len(labels)} labels: "
            "choose which one is meant"
        )


def find_typed_expression(result: Sequence[Any], controls: Controls) -> str:
    """Find the expression that was typed last; "" if none was typed."""
    typed = ""
    for region in result if isinstance(result, list) else ():
        if isinstance(region, dict) and region.get("from_name") == controls.expression_area:
            typed = read_typed_text(region) or typed
    return typed


def read_typed_text(region: Mapping[str, Any]) -> str:
    """Read the last line with text of a TextArea's region; "" for any other region."""
    value = region.get("value")
    text = value.get("text") if region.get("type") == "textarea" and isinstance(value, Mapping) else None
    lines = [text] if isinstance(text, str) else text
    texts = [str(line).strip() for line in lines if str(line).strip()] if isinstance(lines, list) else []
    return texts[-1] if texts else ""


def drop_alternatives_for(expression: str, result: Sequence[Any], task: Task) -> Sequence[Any]:
    """Drop the unchanged alternatives that were offered for an expression: another one was typed since."""
    return [
        r for r in result
        if not (
            isinstance(r, dict)
            and _is_untouched_alternative(r)
            and (_is_alternative_for(expression, r, task) or _is_of_another_task(r, task))
        )
    ]  # fmt: skip


def _is_of_another_task(region: Mapping[str, Any], task: Task) -> bool:
    """Tell whether a region is an alternative of another task or expression, and was imported."""
    meta = region.get("meta")
    has_version = isinstance(meta, Mapping) and meta.get("version") is not None
    return has_version and not _is_alternative_for(task.expression, region, task)


def _is_alternative_for(expression: str, region: Mapping[str, Any], task: Task) -> bool:
    name, meta = get_alternative_id(str(region.get("id", ""))), region.get("meta")
    version = meta.get("version") if isinstance(meta, Mapping) else None
    rank = name.rpartition("-")[2]
    return rank.isdecimal() and name == make_region_id(
        task.project, task.task_id, expression, str(version), int(rank)
    )


def _is_untouched_alternative(region: Mapping[str, Any]) -> bool:
    name = str(region.get("id", ""))
    # A refined mask is the annotator's, although its origin is "prediction". API clients write any origin.
    return (
        bool(ALTERNATIVE_ID_PATTERN.match(name))
        and REFINED_SUFFIX not in name
        and region.get("origin") != _CHANGED_ORIGIN
    )

"""Write a decision as the answer that an annotator would have given: for exports, and for known masks."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ris.core.rle import RLE
from ris.core.types import Alternative, Correction, Verdict
from ris.labelstudio.config.control import Controls
from ris.labelstudio.region import assign_labels, make_regions, write_expression

GROUND_TRUTH_PREFIX = "ris-truth"  # of the region ids of imported masks


def write_answer(
    correction: Correction, alternatives: Sequence[Alternative], controls: Controls
) -> list[dict[str, Any]]:
    """Write the regions and choices of one answer, in the terms of a label config.

    Read again they give the same mask if the label config's masks are of pixels, and the same verdict against
    the same alternatives. In the presentation "pick" a mask has the label of the place where its alternative
    was shown.
    """
    annotation = correction.annotation
    typed = write_expression(annotation.task.expression, controls)[:1] if controls.expression_area else []
    return [*_make_mask_and_choice(correction, alternatives, controls), *typed]


def _make_mask_and_choice(
    correction: Correction, alternatives: Sequence[Alternative], controls: Controls
) -> list[dict[str, Any]]:
    annotation = correction.annotation
    if not correction.verdict.has_mask or annotation.mask is None:
        return _make_no_referent(controls) if correction.verdict is Verdict.NO_REFERENT else []
    taken = next((a for a in alternatives if a.suggestion.rank == correction.rank), None)
    pick = controls.pick
    if pick is None:
        return make_regions(
            annotation.mask, controls, taken.region_id if taken else f"a{annotation.annotation_id}"
        )
    label = next(
        (
            label
            for alternative, label in assign_labels(alternatives, pick.rank_labels)
            if alternative is taken
        ),
        None,
    )
    if taken is not None and label is not None:
        own = replace(controls, label=label)
        chosen_rank = _make_choice(pick.from_name, controls, pick.get_choice(label))
        return [*make_regions(annotation.mask, own, taken.region_id), chosen_rank]
    chosen = [_make_choice(pick.from_name, controls, pick.own_choice)] if pick.own_choice else []
    return [*make_regions(annotation.mask, controls, f"a{annotation.annotation_id}"), *chosen]


def is_imported(annotation: Mapping[str, Any]) -> bool:
    """Tell whether an annotation was imported and nobody has changed it since. Then it is no decision.

    * An answer of an imported file: Label Studio keeps its number there as `import_id`, and sets `updated_by`
      when somebody saves it.
    * Ground truth that `ris import` wrote, recognised by the ids of its regions.
    """
    if annotation.get("import_id") is not None and annotation.get("updated_by") is None:
        return True
    regions = annotation.get("result")
    if not isinstance(regions, list) or not regions or annotation.get("lead_time") is not None:
        return False
    return all(isinstance(r, dict) and str(r.get("id", "")).startswith(GROUND_TRUTH_PREFIX) for r in regions)


def write_ground_truth(mask: RLE | None, controls: Controls) -> list[dict[str, Any]]:
    """Write a mask that is known to be correct, or None for an object not in the image, as an answer."""
    if mask is None:
        return [{**region, "id": f"{GROUND_TRUTH_PREFIX}-choice"} for region in _make_no_referent(controls)]
    own = controls.pick.own_choice if controls.pick else None
    chosen = [_make_choice(controls.pick.from_name, controls, own)] if controls.pick and own else []
    return [
        *make_regions(mask, controls, GROUND_TRUTH_PREFIX),
        *({**one, "id": f"{GROUND_TRUTH_PREFIX}-choice"} for one in chosen),
    ]


def _make_no_referent(controls: Controls) -> list[dict[str, Any]]:
    choice = controls.no_referent
    return [_make_choice(choice.from_name, controls, choice.value)] if choice else []


def _make_choice(from_name: str, controls: Controls, value: str) -> dict[str, Any]:
    return {
        "id": f"{from_name}-choice",
        "from_name": from_name,
        "to_name": controls.to_name,
        "type": "choices",
        "origin": "manual",
        "value": {"choices": [value]},
    }

"""A decision written as the answer that an annotator would have given: for exports, and for known masks."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ris.core.rle import RLE
from ris.core.types import Alternative, Correction, Verdict
from ris.labelstudio.config.control import Controls
from ris.labelstudio.region import assign_labels, make_regions, write_expression


def write_answer(
    correction: Correction, offers: Sequence[Alternative], controls: Controls
) -> list[dict[str, Any]]:
    """The regions and choices of one answer, in the words of a label config.

    Read again they give the same mask where the config's masks are of pixels, and the same verdict against
    the same offers. In the presentation "pick" the label is that of the place where the alternative stood.
    """
    annotation = correction.annotation
    said = write_expression(annotation.task.expression, controls)[:1] if controls.expression_area else []
    return [*_make_mask_and_choice(correction, offers, controls), *said]


def _make_mask_and_choice(
    correction: Correction, offers: Sequence[Alternative], controls: Controls
) -> list[dict[str, Any]]:
    annotation = correction.annotation
    if not correction.verdict.has_mask or annotation.mask is None:
        return _make_no_referent(controls) if correction.verdict is Verdict.NO_REFERENT else []
    taken = next((o for o in offers if o.suggestion.rank == correction.rank), None)
    pick = controls.pick
    if pick is None:
        return make_regions(
            annotation.mask, controls, taken.region_id if taken else f"a{annotation.annotation_id}"
        )
    label = next((label for offer, label in assign_labels(offers, pick.ranks) if offer is taken), None)
    if taken is not None and label is not None:
        own = replace(controls, label=label)
        chosen_rank = _make_choice(pick.from_name, controls, pick.get_choice(label))
        return [*make_regions(annotation.mask, own, taken.region_id), chosen_rank]
    chosen = [_make_choice(pick.from_name, controls, pick.own)] if pick.own else []
    return [*make_regions(annotation.mask, controls, f"a{annotation.annotation_id}"), *chosen]


GROUND_TRUTH_PREFIX = "ris-truth"  # what the ids of imported masks begin with


def is_imported(annotation: Mapping[str, Any]) -> bool:
    """Whether an annotation was imported and nobody has worked on it since: it is no decision on our offers.

    * An answer that was in the imported file: Label Studio keeps its number there as `import_id`, and names
      who saved it as `updated_by` once somebody does.
    * Ground truth that `ris import` wrote, by the ids of its regions.
    """
    if annotation.get("import_id") is not None and annotation.get("updated_by") is None:
        return True
    regions = annotation.get("result")
    if not isinstance(regions, list) or not regions or annotation.get("lead_time") is not None:
        return False
    return all(isinstance(r, dict) and str(r.get("id", "")).startswith(GROUND_TRUTH_PREFIX) for r in regions)


def write_ground_truth(mask: RLE | None, controls: Controls) -> list[dict[str, Any]]:
    """A mask that is known to be right, or None for no such thing, as an answer; `is_imported` knows it."""
    if mask is None:
        return [{**region, "id": f"{GROUND_TRUTH_PREFIX}-choice"} for region in _make_no_referent(controls)]
    own = controls.pick.own if controls.pick else None
    chosen = [_make_choice(controls.pick.from_name, controls, own)] if controls.pick and own else []
    return [
        *make_regions(mask, controls, GROUND_TRUTH_PREFIX),
        *({**one, "id": f"{GROUND_TRUTH_PREFIX}-choice"} for one in chosen),
    ]


def _make_no_referent(controls: Controls) -> list[dict[str, Any]]:
    said = controls.no_referent
    return [_make_choice(said.from_name, controls, said.value)] if said else []


def _make_choice(from_name: str, controls: Controls, value: str) -> dict[str, Any]:
    return {
        "id": f"{from_name}-choice",
        "from_name": from_name,
        "to_name": controls.to_name,
        "type": "choices",
        "origin": "manual",
        "value": {"choices": [value]},
    }

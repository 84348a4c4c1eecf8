"""Write suggestions as regions and predictions of Label Studio.

The last prediction comes first in the editor, so predictions are written worst first. The first region of a
prediction lies on top, so regions are written best first.
"""

import base64
import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ris.core.rle import RLE, decode_rle
from ris.core.types import Alternative, Suggestion, Task
from ris.core.versions import TOY_NETWORKS, is_toy_version
from ris.labelstudio.absence import write_absence
from ris.labelstudio.config.control import Controls
from ris.labelstudio.masks import bitmask, brush, polygon, rectangle

_PART_SUFFIX = "-part"  # between our region id and the number of a polygon of several
REFINED_SUFFIX = "-fixed"  # between our region id and the digest of a refined mask


def make_region_id(project: str, task_id: int, expression: str, version: str, rank: int) -> str:
    """Make the region id of an alternative: the same for the same arguments, on every machine.

    Every path through the editor keeps a region's id and its `meta`.
    """
    text = json.dumps([project, task_id, expression, version, rank], ensure_ascii=False)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return f"ris{base64.b32encode(digest[:10]).decode().lower()}-{rank}"


def make_alternatives(
    task: Task, version: str, suggestions: Sequence[Suggestion], *, shuffled_share: float
) -> tuple[Alternative, ...]:
    """Make the alternatives of a task: the suggestions with their region ids and places.

    Args:
        task: the task.
        version: the model version.
        suggestions: best first.
        shuffled_share: the share of tasks, 0 to 1, that are shown in random order.
    """
    shown_at = choose_places(task, version, len(suggestions), share=shuffled_share)
    return tuple(
        Alternative(make_region_id(task.project, task.task_id, task.expression, version, s.rank), s, place)
        for s, place in zip(suggestions, shown_at, strict=True)
    )


def choose_places(task: Task, version: str, n: int, *, share: float) -> Sequence[int | None]:
    """Choose where each of n alternatives is shown. The same task and version give the same places.

    A share of the tasks is shown in random order, to measure position bias.

    Args:
        task: the task.
        version: the model version.
        n: the number of alternatives.
        share: the share of tasks, 0 to 1, in random order.

    Returns:
        The place of each rank, 0 first; None for each rank if the task is shown in the order of ranks.
    """
    text = json.dumps([task.project, task.task_id, task.expression, version])
    # A seed, not a secret: a task that is predicted again must be shuffled in the same way.
    generator = random.Random(hashlib.sha256(text.encode()).hexdigest())
    if generator.random() >= share:
        return [None] * n
    return generator.sample(range(n), n)


def write_predictions(
    alternatives: Sequence[Alternative], controls: Controls, *, version: str, carried_expression: str = ""
) -> list[dict[str, Any]]:
    """Write the predictions of one task; [] without alternatives.

    "Probably no such thing" is an alternative of its own where the label config has a choice for that. In
    "tabs" it is a prediction with this choice, opened first if it is chosen in advance. In "pick" it is
    chosen only then; a note says it otherwise.

    "tabs": one prediction per place, the last place first and the first place last. "pick": one prediction
    with a region per place, each under the label of its place, the first place first: the editor draws the
    first region of a list on top, and numbers regions in the order of the list.
    What has no label is not shown. Places are ranks, unless the alternatives are shown in random order; then
    nothing that is shown tells the ranks.

    Args:
        alternatives: best first.
        controls: the label config's tags.
        version: as /setup returned it. With another one Label Studio asks again at every opening.
        carried_expression: an expression carried from another image, put into the TextArea; "" for none.
    """
    typed = write_expression(carried_expression, controls) if carried_expression else []
    absent, is_first = write_absence(alternatives, controls)
    shown = sorted(alternatives, key=lambda alternative: alternative.shown_place)
    best = max((alternative.suggestion.score for alternative in alternatives), default=0.0)
    if controls.pick and shown:
        return [
            {
                "result": [*write_alternatives(shown, controls), *(absent if is_first else []), *typed],
                "score": best,
                "model_version": version,
            }
        ]
    tabs = [
        {
            "result": [*_make_alternative_regions(alternative, controls, n_alternatives=len(shown)), *typed],
            "score": alternative.suggestion.score if alternative.place is None else best,
            "model_version": version,
        }
        for alternative in reversed(shown)
    ]
    if not absent:
        return tabs
    absence = alternatives[0].suggestion.absence
    own = {
        "result": [*absent, *typed],
        "score": absence.chance if absence else 0.0,
        "model_version": version,
    }
    return [*tabs, own] if is_first else [own, *tabs]


def write_expression(expression: str, controls: Controls) -> list[dict[str, Any]]:
    """Write an expression as if it had been typed, and its keep choice as if it had been chosen."""
    region = {"id": "riswords", "to_name": controls.to_name, "origin": "manual"}
    typed = region | {
        "from_name": controls.expression_area,
        "type": "textarea",
        "value": {"text": [expression]},
    }
    if controls.keep_choice is None:
        return [typed]
    keep = {"id": "riskeep", "from_name": controls.keep_choice.from_name, "type": "choices"}
    return [typed, region | keep | {"value": {"choices": [controls.keep_choice.value]}}]


def write_alternatives(alternatives: Sequence[Alternative], controls: Controls) -> list[dict[str, Any]]:
    """Write the regions of all alternatives, the first place on top; in "pick" under their places' labels."""
    labels = controls.pick.rank_labels if controls.pick else (controls.label,) * len(alternatives)
    shown = assign_labels(alternatives, labels)
    return [
        region
        for alternative, label in shown
        for region in _make_alternative_regions(
            alternative, replace(controls, label=label), n_alternatives=len(shown)
        )
    ]


def assign_labels(
    alternatives: Sequence[Alternative], labels: Sequence[str]
) -> list[tuple[Alternative, str]]:
    """Assign the labels to as many of the best alternatives, in the order of their places."""
    best = sorted(alternatives, key=lambda alternative: alternative.suggestion.rank)[: len(labels)]
    return list(zip(sorted(best, key=lambda alternative: alternative.shown_place), labels, strict=False))


def to_shown_alternative(alternative: Alternative, controls: Controls) -> Alternative:
    """Return an alternative with its mask as the label config shows it: simplified outlines, or a box."""
    suggestion = alternative.suggestion
    if controls.region_type == "polygonlabels":
        shown = polygon.rasterise_polygons(polygon.trace_outlines(suggestion.mask), suggestion.mask.size)
    elif controls.region_type == "rectanglelabels":
        shown = rectangle.rasterise_rectangle(rectangle.to_rectangle(suggestion.mask), suggestion.mask.size)
    else:
        return alternative
    return replace(alternative, suggestion=replace(suggestion, mask=shown))


def make_region_values(mask: RLE, controls: Controls) -> list[tuple[str, dict[str, Any]]]:
    """Make the `value` of each region of a mask, with the suffix of its id: one, or one polygon per part."""
    if controls.region_type == "brushlabels":
        return [("", {"format": "rle", "rle": brush.encode_alphas(brush.shade_mask(decode_rle(mask)))})]
    if controls.region_type == "bitmasklabels":
        return [("", {"imageDataURL": bitmask.encode_bitmask(mask)})]
    if controls.region_type == "rectanglelabels":
        return [("", rectangle.to_rectangle(mask))]
    return [
        (f"{_PART_SUFFIX}{i}" if i else "", {"points": points, "closed": True})
        for i, points in enumerate(polygon.trace_outlines(mask))
    ]


def _make_alternative_regions(
    alternative: Alternative, controls: Controls, *, n_alternatives: int
) -> list[dict[str, Any]]:
    """Make the regions of one alternative; without a score if the places are shuffled."""
    fields: dict[str, Any] = {"origin": "prediction", "meta": _make_meta(alternative, n_alternatives)}
    if alternative.place is None:
        fields["score"] = alternative.suggestion.score
    return [
        region | fields
        for region in make_regions(alternative.suggestion.mask, controls, alternative.region_id)
    ]


def _make_meta(alternative: Alternative, n_alternatives: int) -> dict[str, Any]:
    """Make a region's `meta`: `text` is the note that annotators read, the other keys are for programs."""
    suggestion = alternative.suggestion
    by_method = {method: f"{m.score:.4g} #{m.rank + 1}" for method, m in suggestion.methods.items()}
    return {
        "text": [make_note(alternative, n_alternatives)],
        "rank": suggestion.rank,
        "method": "; ".join(f"{method} {text}" for method, text in by_method.items()),
        "request": alternative.region_id,
        "version": suggestion.version,
    }


def make_note(alternative: Alternative, n_alternatives: int) -> str:
    """Make the note that annotators read: rank, score and agreement; if shuffled, only the place.

    A late proposal says which method said where it is.

    E.g. "1st of 3, score 82 %. 2 of 3 methods put it first: global-local, lgd (iterprime puts it 2nd)."
    What the embedded networks made says so.
    """
    note = _describe_place(alternative, n_alternatives)
    if not is_toy_version(alternative.suggestion.version):
        return note
    return f"{note.removesuffix('.')}. Made by {TOY_NETWORKS}."


def _describe_place(alternative: Alternative, n_alternatives: int) -> str:
    place = f"{format_ordinal(alternative.shown_place)} of {n_alternatives}"
    if alternative.place is not None:
        return place
    methods = alternative.suggestion.methods
    firsts = [name for name, m in methods.items() if m.rank == 0]
    others = [f"{name} puts it {format_ordinal(m.rank)}" for name, m in methods.items() if m.rank > 0]
    scored = f"{place}, score {100 * alternative.suggestion.score:.0f} %"
    if alternative.suggestion.late_method:
        scored += f", made where {alternative.suggestion.late_method} says that it is"
    absence = alternative.suggestion.absence
    if absence is not None and absence.is_probable:
        scored = f"Probably no such thing (chance {100 * absence.chance:.0f} %). {scored}"
    if not firsts:
        return f"{scored}. No method puts it first: {', '.join(others)}." if others else f"{scored}."
    agree = f"{len(firsts)} of {len(methods)} methods put it first: {', '.join(firsts)}"
    if len(methods) == 1:
        agree = f"{firsts[0]} puts it first"
    return f"{scored}. {agree}" + (f" ({', '.join(others)})." if others else ".")


def format_ordinal(rank: int) -> str:
    """Format a rank as labels and buttons show it: "1st" for rank 0."""
    number = rank + 1
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def get_alternative_id(region: str) -> str:
    """Return the id of the alternative that a region is a part or a refinement of; other ids as they are."""
    return region.split(_PART_SUFFIX)[0].split(REFINED_SUFFIX)[0]


def write_interactive_prediction(
    regions: Sequence[dict[str, Any]], *, score: float, version: str
) -> dict[str, Any]:
    """Write the prediction of an interactive answer: one dict, as the editor shows nothing of a list."""
    return {"result": list(regions), "score": score, "model_version": version}


def write_refined_mask(
    mask: RLE, alternative: Alternative | None, controls: Controls, *, score: float
) -> list[dict[str, Any]]:
    """Write the regions of a mask that a click made; they carry the id of the refined alternative."""
    digest = hashlib.sha256(json.dumps([mask.size, mask.counts]).encode()).hexdigest()[:8]
    name = f"{alternative.region_id if alternative else 'ris'}{REFINED_SUFFIX}{digest}"
    note = f"{format_ordinal(alternative.shown_place)}, fixed" if alternative else "made by pointing"
    fields = {"origin": "prediction", "score": score, "meta": {"text": [note]}}
    return [region | fields for region in make_regions(mask, controls, name)]


def make_regions(mask: RLE, controls: Controls, name: str) -> list[dict[str, Any]]:
    """Make the regions of a mask, as if an annotator had drawn them: one, or one polygon per part."""
    return [
        {
            "id": name + ending,
            "from_name": controls.from_name,
            "to_name": controls.to_name,
            "type": controls.region_type,
            "origin": "manual",
            "original_width": mask.size[1],
            "original_height": mask.size[0],
            "image_rotation": 0,
            "value": value | {controls.region_type: [controls.label]},
        }
        for ending, value in make_region_values(mask, controls)
    ]

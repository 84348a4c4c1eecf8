"""Suggestions become predictions, one a rank; worst first, because the editor opens with the last."""

import base64
import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ris.core.rle import RLE, decode_rle
from ris.core.types import Alternative, Suggestion, Task
from ris.labelstudio.config.control import Controls
from ris.labelstudio.masks import bitmask, brush, polygon, rectangle

_PART_SUFFIX = "-part"  # between our region id and the number of a polygon of several
REFINED_SUFFIX = "-fixed"  # between our region id and what tells one fix of it from another


def make_region_id(project: str, task_id: int, expression: str, version: str, rank: int) -> str:
    """The name of one offer, the same everywhere. It and `meta` survive every path through the editor."""
    asked = json.dumps([project, task_id, expression, version, rank], ensure_ascii=False)
    digest = hashlib.sha256(asked.encode("utf-8", "surrogatepass")).digest()
    return f"ris{base64.b32encode(digest[:10]).decode().lower()}-{rank}"


def make_alternatives(
    task: Task, version: str, suggestions: Sequence[Suggestion], *, shuffled_share: float
) -> tuple[Alternative, ...]:
    """Suggestions as they are offered for a task: with the ids of their regions, and their places."""
    shown_at = choose_places(task, version, len(suggestions), share=shuffled_share)
    return tuple(
        Alternative(make_region_id(task.project, task.task_id, task.expression, version, s.rank), s, place)
        for s, place in zip(suggestions, shown_at, strict=True)
    )


def choose_places(task: Task, version: str, n: int, *, share: float) -> Sequence[int | None]:
    """Where each of n alternatives is shown: in random order for a share of tasks, the same at every asking.

    Returns:
        The place of each rank, 0 first; None for all of them where they stay in the order of their ranks.
    """
    asked = json.dumps([task.project, task.task_id, task.expression, version])
    # A seed, not a secret: which tasks are shuffled must not change when they are asked again.
    chance = random.Random(hashlib.sha256(asked.encode()).hexdigest())
    if chance.random() >= share:
        return [None] * n
    return chance.sample(range(n), n)


def write_predictions(
    offers: Sequence[Alternative], controls: Controls, *, version: str, words: str = ""
) -> list[dict[str, Any]]:
    """The predictions of one task; [] when there are none.

    "tabs": one a place, the last place first and the first last. "pick": a single one with a region a place,
    each under the label of its place, the first drawn last and so on top; what has no label of its own is not
    shown. Places are ranks, unless the offers are to be shown in random order: then nothing that is
    shown says which is ranked first.

    Args:
        offers: best first.
        version: what /setup returned. Any other makes Label Studio add the set again at every opening.
        words: put into the TextArea: an expression that was kept from another image.
    """
    said = write_expression(words, controls) if words else []
    shown = sorted(offers, key=lambda offer: offer.shown_place)
    best = max((offer.suggestion.score for offer in offers), default=0.0)
    if controls.pick and shown:
        return [
            {"result": [*write_alternatives(shown, controls), *said], "score": best, "model_version": version}
        ]
    return [
        {
            "result": [*_make_alternative_regions(offer, controls, n_offers=len(shown)), *said],
            "score": offer.suggestion.score if offer.place is None else best,
            "model_version": version,
        }
        for offer in reversed(shown)
    ]


def write_expression(words: str, controls: Controls) -> list[dict[str, Any]]:
    """An expression as if it had been typed, and as if it was to be kept once more."""
    region = {"id": "riswords", "to_name": controls.to_name, "origin": "manual"}
    typed = region | {"from_name": controls.expression_area, "type": "textarea", "value": {"text": [words]}}
    if controls.keep is None:
        return [typed]
    keep = {"id": "riskeep", "from_name": controls.keep.from_name, "type": "choices"}
    return [typed, region | keep | {"value": {"choices": [controls.keep.value]}}]


def write_alternatives(offers: Sequence[Alternative], controls: Controls) -> list[dict[str, Any]]:
    """The regions of all alternatives together, the first on top, in "pick" under their places' labels."""
    labels = controls.pick.ranks if controls.pick else (controls.label,) * len(offers)
    shown = assign_labels(offers, labels)
    return [
        region
        for offer, label in reversed(shown)
        for region in _make_alternative_regions(offer, replace(controls, label=label), n_offers=len(shown))
    ]


def assign_labels(offers: Sequence[Alternative], labels: Sequence[str]) -> list[tuple[Alternative, str]]:
    """The best alternatives, as many as there are labels, in the order of places, each with its label."""
    best = sorted(offers, key=lambda offer: offer.suggestion.rank)[: len(labels)]
    return list(zip(sorted(best, key=lambda offer: offer.shown_place), labels, strict=False))


def to_shown_alternative(offer: Alternative, controls: Controls) -> Alternative:
    """The offer with its mask as the label config shows it: outlines are simplified, boxes are boxes."""
    suggestion = offer.suggestion
    if controls.region_type == "polygonlabels":
        shown = polygon.rasterise_polygons(polygon.trace_outlines(suggestion.mask), suggestion.mask.size)
    elif controls.region_type == "rectanglelabels":
        shown = rectangle.rasterise_rectangle(rectangle.to_rectangle(suggestion.mask), suggestion.mask.size)
    else:
        return offer
    return replace(offer, suggestion=replace(suggestion, mask=shown))


def make_region_values(mask: RLE, controls: Controls) -> list[tuple[str, dict[str, Any]]]:
    """The `value` of each region that a mask becomes, and what its id ends with: one, or a polygon a part."""
    if controls.region_type == "brushlabels":
        return [("", {"format": "rle", "rle": brush.encode_brush(decode_rle(mask))})]
    if controls.region_type == "bitmasklabels":
        return [("", {"imageDataURL": bitmask.encode_bitmask(mask)})]
    if controls.region_type == "rectanglelabels":
        return [("", rectangle.to_rectangle(mask))]
    return [
        (f"{_PART_SUFFIX}{i}" if i else "", {"points": points, "closed": True})
        for i, points in enumerate(polygon.trace_outlines(mask))
    ]


def _make_alternative_regions(
    offer: Alternative, controls: Controls, *, n_offers: int
) -> list[dict[str, Any]]:
    """Those of one alternative; shuffled ones say no score."""
    told: dict[str, Any] = {"origin": "prediction", "meta": _make_meta(offer, n_offers)}
    if offer.place is None:
        told["score"] = offer.suggestion.score
    return [region | told for region in make_regions(offer.suggestion.mask, controls, offer.region_id)]


def _make_meta(offer: Alternative, n_offers: int) -> dict[str, Any]:
    """`text` is the note that the annotator reads; the flat keys are for us and for other tools."""
    suggestion = offer.suggestion
    said = {method: f"{m.score:.4g} #{m.rank + 1}" for method, m in suggestion.methods.items()}
    return {
        "text": [make_note(offer, n_offers)],
        "rank": suggestion.rank,
        "method": "; ".join(f"{method} {what}" for method, what in said.items()),
        "request": offer.region_id,
        "version": suggestion.version,
    }


def make_note(offer: Alternative, n_offers: int) -> str:
    """What an annotator is told of an alternative: its rank, who agrees, its score; shuffled, only its place.

    E.g. "1st of 3, score 82 %. 2 of 3 methods put it first: global-local, lgd (iterprime puts it 2nd)."
    """
    said = f"{format_ordinal(offer.shown_place)} of {n_offers}"
    if offer.place is not None:
        return said
    methods = offer.suggestion.methods
    firsts = [name for name, m in methods.items() if m.rank == 0]
    others = [f"{name} puts it {format_ordinal(m.rank)}" for name, m in methods.items() if m.rank > 0]
    scored = f"{said}, score {100 * offer.suggestion.score:.0f} %"
    if not firsts:
        return f"{scored}. No method puts it first: {', '.join(others)}." if others else f"{scored}."
    agree = f"{len(firsts)} of {len(methods)} methods put it first: {', '.join(firsts)}"
    if len(methods) == 1:
        agree = f"{firsts[0]} puts it first"
    return f"{scored}. {agree}" + (f" ({', '.join(others)})." if others else ".")


def format_ordinal(rank: int) -> str:
    """ "1st" for rank 0, and so on: as labels and buttons say it."""
    number = rank + 1
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def get_alternative_id(region: str) -> str:
    """The offer that a region of ours is a part or a fix of; other ids stay as they are."""
    return region.split(_PART_SUFFIX)[0].split(REFINED_SUFFIX)[0]


def write_interactive_prediction(
    regions: Sequence[dict[str, Any]], *, score: float, version: str
) -> dict[str, Any]:
    """The one prediction of an interactive answer: the editor takes a dict, and shows nothing of a list."""
    return {"result": list(regions), "score": score, "model_version": version}


def write_refined_mask(
    mask: RLE, offer: Alternative | None, controls: Controls, *, score: float
) -> list[dict[str, Any]]:
    """The regions of a mask that came of a click; they carry the id of the alternative that was fixed."""
    told = hashlib.sha256(json.dumps([mask.size, mask.counts]).encode()).hexdigest()[:8]
    name = f"{offer.region_id if offer else 'ris'}{REFINED_SUFFIX}{told}"
    words = f"{format_ordinal(offer.shown_place)}, fixed" if offer else "made by pointing"
    told_of = {"origin": "prediction", "score": score, "meta": {"text": [words]}}
    return [region | told_of for region in make_regions(mask, controls, name)]


def make_regions(mask: RLE, controls: Controls, name: str) -> list[dict[str, Any]]:
    """The regions that a mask becomes, as if an annotator had drawn them: one, or a polygon a part."""
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

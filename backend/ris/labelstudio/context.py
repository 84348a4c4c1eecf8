"""Read the context of an interactive request: clicks, a box, a brush stroke, a typed expression."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ris.core import masks
from ris.core.proposals import Prompts
from ris.core.types import Box, Size
from ris.errors import InputError, RegionError
from ris.labelstudio.choice import read_typed_text
from ris.labelstudio.config.control import Controls
from ris.labelstudio.config.vocabulary import find_term
from ris.labelstudio.masks import rectangle
from ris.labelstudio.result import get_region_type, read_mask, read_region_size

_CLICK_TYPES = ("keypoint", "keypointlabels")
_BOX_TYPES = ("rectangle", "rectanglelabels")
_STROKE_TYPES = ("brush", "brushlabels")


@dataclass(frozen=True, slots=True)
class InteractiveContext:
    """What an annotator points at or types with Auto-Annotation on.

    Attributes:
        prompts: in pixels of the image as displayed; None if only text was typed.
        expression: the typed text; "" if none was typed.
        label: the label that the annotator selected, as answers write it; "" unless the mask control has it.
    """

    prompts: Prompts | None
    expression: str
    label: str


def read_context(
    context: Mapping[str, Any], controls: Controls, size: Size | None = None
) -> InteractiveContext:
    """Read `params.context` of an interactive /predict.

    Args:
        context: as Label Studio sends it.
        controls: the label config's tags.
        size: of the image on record, (height, width); a region must have it or none. None if it is not known.

    Raises:
        InputError: it holds no click, box, stroke or text.
        RegionError: a region cannot be read.
    """
    result = context.get("result")
    if not isinstance(result, list):
        raise InputError(f"an interactive request needs a list of regions, got {type(result).__name__}")
    regions = [region for region in result if isinstance(region, dict)]
    typed = [
        r
        for r in regions
        if not controls.expression_area or r.get("from_name") in (None, controls.expression_area)
    ]
    expression = next((text for region in reversed(typed) if (text := read_typed_text(region))), "")
    ours = [r for r in regions if r.get("to_name") in (None, controls.to_name)]
    drawn = [r for r in ours if get_region_type(r) in (*_CLICK_TYPES, *_BOX_TYPES, *_STROKE_TYPES)]
    if not drawn and not expression:
        raise InputError("an interactive request needs a click, a box, a brush stroke or typed text")
    labels = (
        find_term(controls.labels, str(label)) for region in drawn for label in _read_label_names(region)
    )
    label = next((found.answer_text for found in labels if found), "")
    return InteractiveContext(_make_prompts(drawn, size) if drawn else None, expression, label)


def _read_label_names(region: Mapping[str, Any]) -> Sequence[object]:
    value = region.get("value")
    found = value.get("labels") or value.get(get_region_type(region)) if isinstance(value, Mapping) else None
    return found if isinstance(found, list) else ()


def _make_prompts(drawn: Sequence[Mapping[str, Any]], on_record: Size | None) -> Prompts:
    sizes = {read_region_size(region, on_record) for region in drawn}
    if len(sizes) > 1:
        raise RegionError(f"the regions of one request must be of one size, got {sorted(sizes)}")
    (size,) = sizes
    points, positive = [], []
    stroke: list[Mapping[str, Any]] = []
    box: Box | None = None
    for region in drawn:
        value = region.get("value")
        if not isinstance(value, Mapping):
            raise RegionError(f"region {region.get('id')!r:.40} has no value")
        if region["type"] in _STROKE_TYPES:
            stroke.append(region)
            continue
        x, y = _to_pixels(value, "x", size[1]), _to_pixels(value, "y", size[0])
        if region["type"] in _CLICK_TYPES:
            points.append((x, y))
            positive.append(region.get("is_positive") is not False)
        else:
            box = _to_box(value, size)
    mask, _ = read_mask(stroke, size)
    return Prompts(
        size=size,
        points=np.array(points, np.float32).reshape(-1, 2),
        positive=np.array(positive, np.bool_),
        box=box if box is not None else (masks.compute_rle_box(mask) if mask else None),
        mask=mask,
    )


def _to_box(value: Mapping[str, Any], size: Size) -> Box:
    """Compute the upright box, (x1, y1, x2, y2) in pixels, around a rectangle that may be rotated."""
    wide, high = _to_pixels(value, "width", size[1]), _to_pixels(value, "height", size[0])
    turn = value.get("rotation") or 0
    if isinstance(turn, bool) or not isinstance(turn, int | float) or not math.isfinite(turn):
        raise RegionError(f"a box needs its rotation in degrees, got {turn!r:.40}")
    corners = np.array([[0, 0], [wide, 0], [wide, high], [0, high]]) * [100 / size[1], 100 / size[0]]
    points = np.array(rectangle.rotate_offsets(value, corners, size)) * [size[1] / 100, size[0] / 100]
    (x1, y1), (x2, y2) = points.min(axis=0), points.max(axis=0)
    return float(x1), float(y1), float(x2), float(y2)


def _to_pixels(value: Mapping[str, Any], name: str, extent: int) -> float:
    percent = value.get(name)
    if isinstance(percent, bool) or not isinstance(percent, int | float) or not abs(percent) < 1e6:
        raise RegionError(f"a click or a box needs {name} in percent, got {percent!r:.40}")
    return float(percent) * extent / 100

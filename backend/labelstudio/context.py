"""What somebody does in the editor with Auto-Annotation on: clicks, a box, a smart brush, typed words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backend.core import masks, rle
from backend.core.proposals import Prompts
from backend.core.rle import RLE
from backend.core.types import Box, Size
from backend.errors import InputError, RegionError
from backend.labelstudio.choice import words_of
from backend.labelstudio.control import Controls
from backend.labelstudio.result import LARGEST_PIXELS, kind_of, read_mask

CLICKS = ("keypoint", "keypointlabels")
BOXES = ("rectangle", "rectanglelabels")
STROKES = ("brush", "brushlabels")


@dataclass(frozen=True, slots=True)
class Context:
    """What is asked interactively.

    Attributes:
        prompts: in the frame of the image as displayed; None when only words were typed.
        words: a typed expression; "" when none was.
        label: the label that the annotator has chosen, if it is one of the mask control's; "" otherwise.
    """

    prompts: Prompts | None
    words: str
    label: str


def read_context(context: Mapping[str, Any], controls: Controls) -> Context:
    """Read `params.context` of an interactive /predict.

    Raises:
        InputError: nothing in it is a click, a box, a stroke or words.
        RegionError: a region cannot be read.
    """
    result = context.get("result")
    if not isinstance(result, list):
        raise InputError(f"an interactive request needs a list of regions, got {type(result).__name__}")
    regions = [region for region in result if isinstance(region, dict)]
    typed = [r for r in regions if not controls.typed or r.get("from_name") in (None, controls.typed)]
    words = next((text for region in reversed(typed) if (text := words_of(region))), "")
    ours = [r for r in regions if r.get("to_name") in (None, controls.to_name)]
    drawn = [r for r in ours if kind_of(r) in (*CLICKS, *BOXES, *STROKES)]
    if not drawn and not words:
        raise InputError("an interactive request needs a click, a box, a stroke of the brush or typed words")
    labels = [str(label) for region in drawn for label in _labels(region)]
    label = next((one for one in labels if one in controls.labels), "")
    return Context(_prompts(drawn) if drawn else None, words, label)


def _labels(region: Mapping[str, Any]) -> Sequence[object]:
    value = region.get("value")
    found = value.get("labels") or value.get(kind_of(region)) if isinstance(value, Mapping) else None
    return found if isinstance(found, list) else ()


def _prompts(drawn: Sequence[Mapping[str, Any]]) -> Prompts:
    size = _size(drawn[0])
    points, positive, stroke = [], [], []
    box: Box | None = None
    for region in drawn:
        value = region.get("value")
        if not isinstance(value, Mapping):
            raise RegionError(f"region {region.get('id')!r:.40} has no value")
        if region["type"] in STROKES:
            stroke.append(region)
            continue
        x, y = _pixels(value, "x", size[1]), _pixels(value, "y", size[0])
        if region["type"] in CLICKS:
            points.append((x, y))
            positive.append(region.get("is_positive") is not False)
        else:
            box = (x, y, x + _pixels(value, "width", size[1]), y + _pixels(value, "height", size[0]))
    mask = _stroke(stroke)
    return Prompts(
        size=size,
        points=np.array(points, np.float32).reshape(-1, 2),
        positive=np.array(positive, np.bool_),
        box=box if box is not None else (masks.box_of(mask) if mask else None),
        mask=mask,
    )


def _stroke(regions: Sequence[Mapping[str, Any]]) -> RLE | None:
    mask, _ = read_mask(list(regions))
    return mask if mask is not None and rle.decode(mask).any() else None


def _size(region: Mapping[str, Any]) -> Size:
    height, width = region.get("original_height"), region.get("original_width")
    if not isinstance(height, int) or not isinstance(width, int) or height < 1 or width < 1:
        raise RegionError(
            f"region {region.get('id')!r:.40} says no size; its height and width are {height}, {width}"
        )
    if height * width > LARGEST_PIXELS:
        raise RegionError(f"region {region.get('id')!r:.40} says {width} x {height}, too many pixels")
    return height, width


def _pixels(value: Mapping[str, Any], name: str, extent: int) -> float:
    given = value.get(name)
    if isinstance(given, bool) or not isinstance(given, int | float) or not abs(given) < 1e6:
        raise RegionError(f"a click or a box needs {name} in percent, got {given!r:.40}")
    return float(given) * extent / 100

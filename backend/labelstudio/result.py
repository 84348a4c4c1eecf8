"""The regions of an annotation become one mask: whatever tool drew them, their union is meant."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from backend.core import masks, rle
from backend.core.rle import RLE
from backend.core.types import Size
from backend.errors import RegionError
from backend.labelstudio import bitmask, brush, rectangle
from backend.labelstudio.polygon import rasterised
from backend.labelstudio.region import offer_id

LARGEST_PIXELS = 200_000_000

Value = Mapping[str, Any]


def read_mask(result: Sequence[Any]) -> tuple[RLE | None, tuple[str, ...]]:
    """The union of all mask regions, in the frame of the image as displayed, and our ids among theirs.

    Returns:
        The mask, None when no region is one; the ids of the mask regions, an offer's parts as the offer.

    Raises:
        RegionError: a region cannot be read, or is of another size than the first.
    """
    if not isinstance(result, list):
        raise RegionError(f"an annotation's result must be a list of regions, got {type(result).__name__}")
    regions = [region for region in result if isinstance(region, dict) and kind_of(region) in READERS]
    read = [_read(region) for region in regions]
    if not read:
        return None, ()
    sizes = {mask.size for mask in read}
    if len(sizes) > 1:
        raise RegionError(f"the regions of one annotation must have one size, got {sorted(sizes)}")
    ids = dict.fromkeys(offer_id(str(region.get("id", ""))) for region in regions)
    return (read[0] if len(read) == 1 else masks.union(read)), tuple(ids)


def kind_of(region: Mapping[str, Any]) -> str:
    """A region's type; "" when it has none that could be one."""
    kind = region.get("type")
    return kind if isinstance(kind, str) else ""


def _read(region: Mapping[str, Any]) -> RLE:
    value = region.get("value")
    if not isinstance(value, dict):
        raise RegionError(f"region {region.get('id')!r:.40} has no value")
    size = _size(region)
    try:
        return READERS[region["type"]](value, size)
    except RegionError as error:
        raise RegionError(f"region {region.get('id')!r:.40}: {error}") from error
    except (TypeError, ValueError, KeyError) as error:
        raise RegionError(
            f"region {region.get('id')!r:.40} of type {region['type']} cannot be read: {error}"
        ) from error


def _size(region: Mapping[str, Any]) -> Size:
    size = region.get("original_height"), region.get("original_width")
    height, width = size
    if not isinstance(height, int) or not isinstance(width, int) or height < 1 or width < 1:
        raise RegionError(f"region {region.get('id')!r:.40} says no size; its height and width are {size}")
    if height * width > LARGEST_PIXELS:
        raise RegionError(
            f"region {region.get('id')!r:.40} says {width} x {height}, {LARGEST_PIXELS} pixels are the limit"
        )
    return height, width


def _brush(value: Value, size: Size) -> RLE:
    if value.get("format", "rle") != "rle":
        raise RegionError(f"brush format {value.get('format')!r:.40} is not known, only rle")
    return rle.encode(brush.decode(value["rle"], size))


def _polygon(value: Value, size: Size) -> RLE:
    return rasterised([[[float(x), float(y)] for x, y in value["points"]]], size)


def _ellipse(value: Value, size: Size) -> RLE:
    angles = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    radii = np.array([float(value["radiusX"]), float(value["radiusY"])])
    return rasterised(
        [rectangle.turned(value, np.stack([np.cos(angles), np.sin(angles)], 1) * radii, size)], size
    )


def _bitmask(value: Value, size: Size) -> RLE:
    return bitmask.decode(str(value["imageDataURL"]), size)


READERS: dict[str, Callable[[Value, Size], RLE]] = {
    "brush": _brush,
    "brushlabels": _brush,
    "polygon": _polygon,
    "polygonlabels": _polygon,
    "rectangle": rectangle.filled,
    "rectanglelabels": rectangle.filled,
    "ellipse": _ellipse,
    "ellipselabels": _ellipse,
    "bitmask": _bitmask,
    "bitmasklabels": _bitmask,
}

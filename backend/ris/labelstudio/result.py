"""Read the regions of an annotation as one mask: the union of all, whatever tool drew them."""

import math
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any

import numpy as np

from ris.core import masks, rle
from ris.core.rle import RLE
from ris.core.types import Size
from ris.errors import EmptyMaskError, FrameError, RegionError, RegionKindError
from ris.labelstudio.config.control import Controls
from ris.labelstudio.masks import bitmask, brush, rectangle
from ris.labelstudio.masks.polygon import rasterise_polygons
from ris.labelstudio.region import get_alternative_id

_MAX_IMAGE_PIXELS = 200_000_000
_MAX_COORDINATE = 1e12  # percent; a larger number is refused
POINT_TYPES = frozenset({"keypoint", "keypointlabels"})
# Entries of a result that are no regions on the image.
NON_DRAWING_TYPES = frozenset(
    {"choices", "textarea", "rating", "number", "datetime", "taxonomy", "pairwise", "ranker", "relation"}
)

RegionValue = Mapping[str, Any]


def select_drawn_regions(result: Sequence[Any], controls: Controls) -> list[dict[str, Any]]:
    """Select the entries of a result that are drawn on our image, of any kind; no choices, no texts.

    Raises:
        RegionError: an entry is no object, has no type, or is drawn on what the label config does not show.
    """
    regions = [_check_entry(entry, place) for place, entry in enumerate(result)]
    shapes = {str(region.get("id")) for region in regions if region["type"] in MASK_READERS}
    return [region for region in regions if _is_drawn(region, shapes) and _is_on_image(region, controls)]


def find_other_object(result: Sequence[Any], controls: Controls) -> str:
    """Find the name of another object that something is drawn on; "" if all shapes are on our image."""
    others = (
        region.get("to_name")
        for region in result
        if get_region_type(region) in MASK_READERS.keys() | POINT_TYPES
        and region.get("to_name") not in (None, controls.to_name)
    )
    return str(next(others, ""))


def read_mask(regions: Sequence[Any], size: Size | None = None) -> tuple[RLE | None, tuple[str, ...]]:
    """Unite mask regions, and collect their ids.

    A point is a prompt and gives no mask; it is skipped if there is a mask. So is a region without pixels,
    such as a brush stroke that was erased.

    Args:
        regions: of one answer.
        size: of the image on record, (height, width); a region must have it or none. None if it is not known.

    Returns:
        The mask in the frame of the image as displayed, None without regions; and the ids of the regions with
        pixels, where a part of an alternative has the alternative's id.

    Raises:
        RegionError: a region cannot be read, or its size differs from the first one's.
        FrameError: a region's size differs from the image's, or neither is known.
        RegionKindError: a region is of a kind that gives no mask.
        EmptyMaskError: the regions cover no pixel.
    """
    if not isinstance(regions, list):
        raise RegionError(f"an annotation's result must be a list of regions, got {type(regions).__name__}")
    if not regions:
        return None, ()
    shapes = [region for region in regions if not is_point_region(region)]
    if not shapes:
        raise RegionKindError(
            "only points were drawn, and a point gives no mask: draw the mask, and answer again"
        )
    read = [(_read_region(region, size), region) for region in shapes]
    sizes = {mask.size for mask, _ in read}
    if len(sizes) > 1:
        raise RegionError(f"the regions of one annotation must have one size, got {sorted(sizes)}")
    painted = [(mask, region) for mask, region in read if mask.area_px]
    if not painted:
        raise EmptyMaskError(
            f"region {shapes[0].get('id')!r:.40} covers no pixel of the image: draw the mask, or choose that "
            "the object is not in the image"
        )
    ids = dict.fromkeys(get_alternative_id(str(region.get("id", ""))) for _, region in painted)
    found = [mask for mask, _ in painted]
    return (found[0] if len(found) == 1 else masks.unite_masks(found)), tuple(ids)


def get_region_type(region: Mapping[str, Any]) -> str:
    """Return a region's type; "" if it has no usable one."""
    kind = region.get("type")
    return kind if isinstance(kind, str) else ""


def is_point_region(region: Mapping[str, Any]) -> bool:
    """Tell whether a region is a point, which prompts for a mask and is none."""
    return get_region_type(region) in POINT_TYPES


def read_region_size(region: Mapping[str, Any], on_record: Size | None) -> Size:
    """Read the size of a region's image, (height, width); the size on record if the region has none.

    Args:
        region: as Label Studio writes it.
        on_record: (height, width); None if it is not known.

    Raises:
        FrameError: no size is known, it is too large, it is 1 x 1, or it differs from the one on record.
    """
    name = f"region {region.get('id')!r:.40}"
    claimed = region.get("original_height"), region.get("original_width")
    if claimed == (None, None) and on_record is not None:
        return on_record
    height, width = _to_pixel_count(claimed[0]), _to_pixel_count(claimed[1])
    if height < 1 or width < 1:
        raise FrameError(
            f"{name} has no usable size; its height and width are {claimed!r:.60}: give it "
            "original_height and original_width, numbers of pixels"
        )
    if height * width > _MAX_IMAGE_PIXELS:
        raise FrameError(f"{name} is {width} x {height}, {_MAX_IMAGE_PIXELS} pixels are the limit")
    if on_record is not None and (height, width) != on_record:
        raise FrameError(
            f"{name} is of a picture of {width} x {height}, and the task's picture has {on_record[1]} x "
            f"{on_record[0]} (width x height): open the task, wait for the picture, and answer again"
        )
    if on_record is None and (height, width) == (1, 1):
        raise FrameError(
            f"{name} is of a picture of 1 x 1, which Label Studio writes while a picture is not loaded: open "
            "the task, wait for the picture, and answer again"
        )
    return height, width


def _to_pixel_count(value: object) -> int:
    """Convert a value to a number of pixels; 0 if it is none."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _check_entry(entry: object, place: int) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise RegionError(f"entry {place} of the result must be an object, got {type(entry).__name__}")
    if not get_region_type(entry):
        raise RegionError(
            f'entry {place} of the result needs a type, e.g. "brushlabels"; got {entry.get("type")!r:.40}'
        )
    return entry


def _is_drawn(region: Mapping[str, Any], shapes: Set[str]) -> bool:
    if region["type"] == "labels":  # the label of the shape with the same id
        return str(region.get("id")) not in shapes
    return region["type"] not in NON_DRAWING_TYPES


def _is_on_image(region: Mapping[str, Any], controls: Controls) -> bool:
    on = region.get("to_name")
    if on is None or on == controls.to_name:
        return True
    if on in controls.objects:
        return False
    raise RegionError(
        f"region {region.get('id')!r:.40} is drawn on {on!r:.40}, which the label config does not show: was "
        f"it renamed to {controls.to_name!r}? Give it back its name, and sync the project again"
    )


def _read_region(region: Mapping[str, Any], on_record: Size | None) -> RLE:
    name, value = f"region {region.get('id')!r:.40}", region.get("value")
    read = MASK_READERS.get(region["type"])
    if read is None:
        raise RegionKindError(
            f"{name} is of type {region['type']!r:.40}, and no mask can be made of it: draw it with a brush, "
            "a bitmask, a polygon, a rectangle or an ellipse"
        )
    if not isinstance(value, dict):
        raise RegionError(f"{name} has no value")
    size = read_region_size(region, on_record)
    try:
        if not _is_upright(region.get("image_rotation")):
            raise RegionError(
                f"it was drawn on a picture that was turned by {region['image_rotation']!r:.10} degrees: "
                "turn the picture back, and draw it again"
            )
        return read(value, size)
    except RegionError as error:
        raise RegionError(f"{name}: {error}") from error
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise RegionError(f"{name} of type {region['type']} cannot be read: {error}") from error


def _is_upright(rotation: object) -> bool:
    """Tell whether an image was rotated by a multiple of 360 degrees, or not at all."""
    if not isinstance(rotation, int | float):
        return rotation in (None, "", "0")
    return math.isfinite(rotation) and rotation % 360 == 0


def _read_brush(value: RegionValue, size: Size) -> RLE:
    if value.get("format", "rle") != "rle":
        raise RegionError(f"brush format {value.get('format')!r:.40} is not known, only rle")
    return rle.encode_rle(brush.decode_brush(value["rle"], size))


def _read_polygon(value: RegionValue, size: Size) -> RLE:
    if value.get("closed") is False:
        raise RegionError("its outline is not closed: close it, and answer again")
    points = [[_read_number(x), _read_number(y)] for x, y in value["points"]]
    return rasterise_polygons([points], size)


def _read_rectangle(value: RegionValue, size: Size) -> RLE:
    _check_numbers(value, "width", "height")
    return rectangle.rasterise_rectangle(value, size)


def _read_ellipse(value: RegionValue, size: Size) -> RLE:
    _check_numbers(value, "radiusX", "radiusY")
    angles = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    radii = np.array([float(value["radiusX"]), float(value["radiusY"])])
    return rasterise_polygons(
        [rectangle.rotate_offsets(value, np.stack([np.cos(angles), np.sin(angles)], 1) * radii, size)], size
    )


def _read_bitmask(value: RegionValue, size: Size) -> RLE:
    return bitmask.decode_bitmask(str(value["imageDataURL"]), size)


def _check_numbers(value: RegionValue, *extents: str) -> None:
    numbers = {name: _read_number(value[name]) for name in ("x", "y", *extents)}
    _read_number(value.get("rotation") or 0)
    if any(numbers[name] < 0 for name in extents):
        raise RegionError(f"its extents must not be negative, got {[numbers[name] for name in extents]}")


def _read_number(value: object) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not abs(value) < _MAX_COORDINATE:  # type: ignore[arg-type]
        raise ValueError(f"a number was expected, got {value!r:.40}")
    return float(value)  # type: ignore[arg-type]


MASK_READERS: dict[str, Callable[[RegionValue, Size], RLE]] = {
    "brush": _read_brush,
    "brushlabels": _read_brush,
    "polygon": _read_polygon,
    "polygonlabels": _read_polygon,
    "rectangle": _read_rectangle,
    "rectanglelabels": _read_rectangle,
    "ellipse": _read_ellipse,
    "ellipselabels": _read_ellipse,
    "bitmask": _read_bitmask,
    "bitmasklabels": _read_bitmask,
}

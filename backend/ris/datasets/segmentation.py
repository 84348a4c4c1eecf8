"""Decode COCO segmentations: polygons and run lengths.

A mask that cannot be decoded exactly is an error, never a guess. Some common deviations have one meaning and
are accepted: polygons as lists of [x, y] pairs, one polygon without the outer list, polygons of two points
beside others (they have no area and are dropped), and numbers as text.

pycocotools reads a list whose first polygon has four numbers as boxes, and it does not check run lengths. So
polygons are checked before they reach it, and run lengths are decoded here.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco

from ris.core import rle
from ris.core.masks import unite_masks
from ris.core.rle import RLE
from ris.core.types import Size
from ris.errors import DatasetError

MIN_POLYGON_NUMBERS = 6  # three points
MAX_COORDINATE_SIDES = 10  # limit of coordinates, in longer sides of the image; drawing costs time
MAX_MASK_PIXELS = 2**28


def decode_segmentation(segmentation: Any, size: Size | None, what: str) -> RLE:
    """Decode COCO polygons, run lengths, or a list of either as one mask.

    Args:
        segmentation: the value from the JSON file.
        size: (height, width) of the image; None takes the size of the run lengths.
        what: name of the record, for errors.

    Raises:
        DatasetError: the value is none of these, or the mask has another size than the image.
    """
    try:
        return read_segmentation(segmentation, size)
    except DatasetError as error:
        raise DatasetError(f"{what}: {error}") from error


def read_segmentation(segmentation: Any, size: Size | None) -> RLE:
    """Decode as `decode_segmentation` does, with errors that do not name the record.

    So all records with the same defect give the same message.
    """
    if segmentation is None or segmentation in ([], {}, ""):
        raise DatasetError("it has no segmentation")
    parts = segmentation if isinstance(segmentation, list) else [segmentation]
    if all(isinstance(part, int | float | str | None) for part in parts):
        parts = [parts]
    if all(isinstance(part, Mapping) for part in parts):
        return _merge_masks([_from_runs(part, size) for part in parts])
    if all(isinstance(part, list) for part in parts):
        return _from_polygons(parts, _check_size(size))
    raise DatasetError("its segmentation is neither polygons nor run lengths")


def _merge_masks(masks: list[RLE]) -> RLE:
    if len({mask.size for mask in masks}) > 1:
        raise DatasetError("its run lengths have different sizes")
    return masks[0] if len(masks) == 1 else unite_masks(masks)


def _check_size(size: Size | None) -> Size:
    if size is None:
        raise DatasetError('the size of its image is missing: give "height" and "width"')
    if math.prod(size) > MAX_MASK_PIXELS:
        raise DatasetError(f"its image has more than {MAX_MASK_PIXELS} pixels")
    return size


def _from_polygons(parts: list[Any], size: Size) -> RLE:
    outlines = [outline for part in parts if len(outline := _read_outline(part, size)) >= MIN_POLYGON_NUMBERS]
    if not outlines:
        raise DatasetError("none of its polygons has three points")
    codes = coco.frPyObjects([outline.tolist() for outline in outlines], *size)
    merged = coco.merge(codes)
    return rle.from_string(merged["counts"].decode("ascii"), size)


def _read_outline(part: Any, size: Size) -> NDArray[np.float64]:
    try:
        values = np.asarray(part, np.float64)
    except (TypeError, ValueError) as error:
        raise DatasetError("its polygons contain something other than numbers") from error
    if not np.isfinite(values).all():
        raise DatasetError("its polygons have coordinates that are not finite")
    if values.shape[1:] not in ((), (2,)) or values.size % 2:
        raise DatasetError("one of its polygons has an x without a y")
    if values.size and np.abs(values).max() > MAX_COORDINATE_SIDES * max(size):
        raise DatasetError("its polygons reach far outside its image")
    return values.ravel()


def _from_runs(part: Mapping[str, Any], size: Size | None) -> RLE:
    mask_size = _read_size(part["size"]) if part.get("size") is not None else _check_size(size)
    if size is not None and mask_size != size:
        raise DatasetError(f"its mask has size {mask_size}, its image {size}")
    counts = part.get("counts")
    try:
        if isinstance(counts, list):
            return RLE(_check_size(mask_size), tuple(_to_whole_number(count) for count in counts))
        text = counts.decode("ascii") if isinstance(counts, bytes) else counts
        if isinstance(text, str):
            return rle.from_string(text, _check_size(mask_size))
    except ValueError as error:
        raise DatasetError("its run lengths cannot be read, or do not cover its size") from error
    raise DatasetError("its run lengths have no counts")


def _read_size(value: Any) -> Size:
    try:
        height, width = (_to_whole_number(side) for side in value)
    except (TypeError, ValueError) as error:
        raise DatasetError('the "size" of its run lengths is not [height, width]') from error
    return height, width


def _to_whole_number(value: Any) -> int:
    """Convert 7, 7.0 or "7" to an int.

    Raises:
        TypeError, ValueError: the value is not a whole number.
    """
    number = float(value)
    if not number.is_integer():
        raise ValueError(value)
    return int(number)

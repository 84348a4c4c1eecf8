"""Read PhraseCut's files as its own loader does.

Source: `refvg_loader.py` and `data_transfer.polygons_to_mask` of ChenyunWu/PhraseCutDataset. Coordinates are
truncated to whole pixels, Pillow draws and fills each polygon, and the mask is their union. The README of the
dataset calls the list of images `image_data_split3000.json`; its loader opens `image_data_split.json`.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from ris.core import rle
from ris.core.rle import RLE
from ris.core.types import Size
from ris.datasets.entry import (
    WITHOUT_MASK,
    Defect,
    Entry,
    RecordIndex,
    RecordSource,
    get_field,
    raise_on_defect,
    read_json,
    read_record_size,
    to_expression_text,
    to_path,
)
from ris.datasets.segmentation import MAX_COORDINATE_SIDES, MAX_MASK_PIXELS
from ris.errors import DatasetError

IMAGES_FILE = "image_data_split3000.json"
OTHER_IMAGES_FILE = "image_data_split.json"
_MIN_DRAWN_POINTS = 2


def find_images_file(folder: Path) -> Path | None:
    """Return the path of PhraseCut's list of images; None if the folder has no such file."""
    return next(
        (folder / name for name in (IMAGES_FILE, OTHER_IMAGES_FILE) if (folder / name).is_file()), None
    )


def read_phrasecut(folder: Path) -> Iterator[Entry]:
    """Read a dataset as `scan_phrasecut` does, but refuse defects.

    Raises:
        DatasetError: a file is missing, or there is a defect; the message names the task.
    """
    return raise_on_defect(scan_phrasecut(folder))


def scan_phrasecut(folder: Path) -> Iterator[Entry | Defect]:
    """Yield the entries of all `refer_<split>.json`, split by split, and the defects.

    Raises:
        DatasetError: a file is missing or cannot be read.
    """
    listed = find_images_file(folder) or folder / IMAGES_FILE
    images = RecordIndex(read_json(listed), "image_id", listed.name, "image")
    files = sorted(folder.glob("refer_*.json"))
    if not files:
        raise DatasetError(f"{folder} has no refer_<split>.json")
    for path in files:
        tasks = read_json(path)
        if not isinstance(tasks, list):
            raise DatasetError(f"{path} must hold a list of tasks")
        for number, task in enumerate(tasks, 1):
            yield from scan_phrase_task(task, number, images, path)


def scan_phrase_task(task: Any, number: int, images: RecordSource, path: Path) -> Iterator[Entry | Defect]:
    """Yield the entry of one task, and its defect.

    Args:
        task: the task.
        number: its place in its file, from 1.
        images: of the list of images.
        path: of its file, whose name has the split.
    """
    name = task.get("task_id", number) if isinstance(task, Mapping) else number
    what = f"task {name!r:.40} of {path.name}"
    try:
        image = images.find(get_field(task, "image_id"))
        expression = to_expression_text(get_field(task, "phrase"))
        file = to_path(image.get("file_name") or image.get("url") or f"{task['image_id']}.jpg")
    except DatasetError as error:
        yield Defect(what, str(error))
        return
    mask, size = None, read_record_size(image)
    try:
        mask = _read_mask(get_field(task, "Polygons"), size)
    except DatasetError as error:
        yield Defect(what, str(error), WITHOUT_MASK)
    yield Entry(expression, file, size, mask, True, path.stem.removeprefix("refer_"))


def _read_mask(polygons: Any, size: Size | None) -> RLE:
    if size is None or size[0] * size[1] > MAX_MASK_PIXELS:
        raise DatasetError("the size of its image is missing or too large")
    try:
        return draw_polygons([polygon for instance in polygons for polygon in instance], size)
    except (TypeError, ValueError, OverflowError) as error:
        raise DatasetError("its polygons are not lists of points") from error


def draw_polygons(polygons: Sequence[Sequence[Any]], size: Size) -> RLE:
    """Draw the union of polygons as PhraseCut does.

    Args:
        polygons: lists of points [x, y] in pixels.
        size: (height, width) of the mask.

    Raises:
        DatasetError: a point lies far outside the image.
        TypeError, ValueError, OverflowError: a point is not a pair of finite numbers.
    """
    canvas = Image.new("L", (size[1], size[0]), 0)
    pen = ImageDraw.Draw(canvas)
    for polygon in polygons:
        points = [(int(x), int(y)) for x, y in polygon]
        if any(abs(value) > MAX_COORDINATE_SIDES * max(size) for point in points for value in point):
            raise DatasetError("its polygons reach far outside its image")
        if len(points) >= _MIN_DRAWN_POINTS:
            pen.polygon(points, outline=1, fill=1)
    return rle.encode_rle(np.asarray(canvas) > 0)

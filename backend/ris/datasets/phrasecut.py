"""PhraseCut's files, as its own loader takes them.

Source: `refvg_loader.py` and `data_transfer.polygons_to_mask` of ChenyunWu/PhraseCutDataset: coordinates are
cut to whole pixels, each polygon is drawn with its outline and filled by Pillow, and the union counts. The
README of the dataset names the list of images `image_data_split3000.json`, its loader opens
`image_data_split.json`.
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
    """The list of images of a folder of PhraseCut; None where the folder is none."""
    return next(
        (folder / name for name in (IMAGES_FILE, OTHER_IMAGES_FILE) if (folder / name).is_file()), None
    )


def read_phrasecut(folder: Path) -> Iterator[Entry]:
    """As `scan_phrasecut`, of a dataset that is to have no defect.

    Raises:
        DatasetError: a file is missing, or a task names an image that is not listed.
    """
    return raise_on_defect(scan_phrasecut(folder))


def scan_phrasecut(folder: Path) -> Iterator[Entry | Defect]:
    """Every task of every `refer_<split>.json`, split by split, and what of it cannot be used.

    Raises:
        DatasetError: a file is missing or cannot be read at all.
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
            yield from _read_task(task, images, path, number)


def _read_task(task: Any, images: RecordIndex, path: Path, number: int) -> Iterator[Entry | Defect]:
    name = task.get("task_id", number) if isinstance(task, Mapping) else number
    what = f"task {name!r:.40} of {path.name}"
    try:
        image = images.find(get_field(task, "image_id"))
        words = to_expression_text(get_field(task, "phrase"))
        file = to_path(image.get("file_name") or image.get("url") or f"{task['image_id']}.jpg")
    except DatasetError as error:
        yield Defect(what, str(error))
        return
    mask, size = None, read_record_size(image)
    try:
        mask = _read_mask(get_field(task, "Polygons"), size)
    except DatasetError as error:
        yield Defect(what, str(error), WITHOUT_MASK)
    yield Entry(words, file, size, mask, True, path.stem.removeprefix("refer_"))


def _read_mask(polygons: Any, size: Size | None) -> RLE:
    if size is None or size[0] * size[1] > MAX_MASK_PIXELS:
        raise DatasetError("the size of its image is not said, or cannot be")
    try:
        return draw_polygons([polygon for instance in polygons for polygon in instance], size)
    except (TypeError, ValueError, OverflowError) as error:
        raise DatasetError("its polygons are no lists of points") from error


def draw_polygons(polygons: Sequence[Sequence[Any]], size: Size) -> RLE:
    """The union of polygons [[x, y], ...], drawn as PhraseCut draws them.

    Raises:
        DatasetError: a point lies far outside the image.
        TypeError, ValueError, OverflowError: a point is none.
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

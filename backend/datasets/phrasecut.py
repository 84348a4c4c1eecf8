"""PhraseCut's files, as its own loader takes them.

Source: `refvg_loader.py` and `data_transfer.polygons_to_mask` of ChenyunWu/PhraseCutDataset: coordinates are
cut to whole pixels, each polygon is drawn with its outline and filled by Pillow, and the union counts.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from backend.core import rle
from backend.core.rle import RLE
from backend.core.types import Size
from backend.datasets.entry import Entry, field_of, read_json
from backend.errors import DatasetError

IMAGES = "image_data_split3000.json"
FEWEST_POINTS = 2


def read_phrasecut(folder: Path) -> Iterator[Entry]:
    """Every task of every `refer_<split>.json`, split by split.

    Raises:
        DatasetError: a file is missing, or a task names an image that is not listed.
    """
    images = {field_of(image, "image_id", IMAGES): image for image in read_json(folder / IMAGES)}
    files = sorted(folder.glob("refer_*.json"))
    if not files:
        raise DatasetError(f"{folder} has no refer_<split>.json")
    for path in files:
        for task in read_json(path):
            what = f"task {task.get('task_id')!r:.40} of {path.name}"
            image = images.get(field_of(task, "image_id", what))
            if image is None:
                raise DatasetError(f"{what}: {IMAGES} has no image {task['image_id']!r:.20}")
            size = int(image["height"]), int(image["width"])
            yield Entry(
                expression=str(field_of(task, "phrase", what)),
                image=str(image.get("file_name") or image.get("url") or f"{task['image_id']}.jpg"),
                size=size,
                mask=drawn([p for one in field_of(task, "Polygons", what) for p in one], size),
                has_referent=True,
                split=path.stem.removeprefix("refer_"),
            )


def drawn(polygons: Sequence[Sequence[Any]], size: Size) -> RLE:
    """The union of polygons [[x, y], ...], drawn as PhraseCut draws them."""
    canvas = Image.new("L", (size[1], size[0]), 0)
    pen = ImageDraw.Draw(canvas)
    for polygon in polygons:
        if len(polygon) >= FEWEST_POINTS:
            pen.polygon([(int(x), int(y)) for x, y in polygon], outline=1, fill=1)
    return rle.encode(np.asarray(canvas) > 0)

"""Read COCO files back with pycocotools and compare them with the record."""

import contextlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools.coco import COCO

from ris.core import rle
from ris.core.decision import Decision
from ris.core.scratch import open_scratch
from ris.export.dataset import get_mask
from ris.export.differences import Problems, compare_masks
from ris.export.imagefile import ImageFile, ImageNumbers
from ris.export.material import Material
from ris.export.reading import read_items

_NOTES_PER_PAGE = 500


def validate_coco(name: str, material: Material, folder: Path) -> Problems:
    """Yield a sentence for each difference between a COCO file and the record.

    The masks are decoded by pycocotools, page by page.

    Args:
        name: name of the file.
        material: the input of the export, from the record.
        folder: folder of the file.
    """
    path = folder / name
    n_notes, without = (
        sum(1 for _ in read_items(path, part)) for part in ("annotations.item", "info.without_mask.item")
    )
    n_ours, n_records = material.n_pictured_masks, len(material.pictured)
    if (n_notes, without) != (n_ours, n_records - n_ours):
        yield (
            f"{n_notes} decisions with a mask and {without} without in the file, "
            f"{n_ours} and {n_records - n_ours} on record"
        )
        return
    images = ListedImages(read_items(path, "images.item"))
    yield from images.compare(material.pictured.list_images())
    ours = (decision for decision in material.pictured if get_mask(decision))
    notes = read_items(path, "annotations.item")
    while page := list(islice(zip(ours, notes, strict=False), _NOTES_PER_PAGE)):
        yield from _compare_page(page, images)


def _compare_page(page: Sequence[tuple[Decision, Mapping[str, Any]]], images: "ListedImages") -> Problems:
    own = {note["image_id"]: images.find(note["image_id"]) for _, note in page}
    with contextlib.redirect_stdout(io.StringIO()):  # the reader prints how long it took
        file = COCO()
        file.dataset = {
            "images": [image for image in own.values() if image], "annotations": [note for _, note in page]
        }  # fmt: skip
        file.createIndex()
    for decision, note in page:
        what = f"annotation {note['id']}"
        image = own[note["image_id"]]
        if image is None or image["sha256"] != decision.image_digest:
            yield f"{what}: its image is not the one on record"
            continue
        theirs = rle.encode_rle(file.annToMask(note).astype(np.bool_))
        yield from compare_masks(what, theirs, get_mask(decision))


class ListedImages:
    """The images of a file, on disk.

    Args:
        images: as the file has them.
    """

    def __init__(self, images: Iterable[Mapping[str, Any]]) -> None:
        self._scratch = open_scratch(
            "CREATE TABLE image (id INTEGER PRIMARY KEY, sha256 TEXT, content TEXT,"
            " is_ours INTEGER DEFAULT 0);"
            "CREATE INDEX by_digest ON image (sha256);"
        )
        for image in images:
            row = image["id"], image["sha256"], json.dumps(image)
            self._scratch.execute("INSERT OR REPLACE INTO image (id, sha256, content) VALUES (?, ?, ?)", row)

    def find(self, number: int) -> dict[str, Any] | None:
        """Return the image of an id."""
        row = self._scratch.execute("SELECT content FROM image WHERE id = ?", (number,)).fetchone()
        return None if row is None else json.loads(row[0])

    def compare(self, files: Iterable[ImageFile]) -> Problems:
        """Yield a sentence for each difference between these images and those on record."""
        total, digests = self._scratch.execute(
            "SELECT count(*), count(DISTINCT sha256) FROM image"
        ).fetchone()
        if digests < total:
            yield f"{total} images in the file have only {digests} different digests"
        numbers = ImageNumbers()
        for file in files:
            _, is_new = numbers.assign(file)
            if is_new:
                yield from self._compare_image(file)
        rest = "SELECT content FROM image WHERE is_ours = 0"
        for (content,) in self._scratch.execute(rest).fetchmany(_NOTES_PER_PAGE):
            image = json.loads(content)
            yield f"image {image['sha256']:.16}: {_describe(image)} in the file, None on record"

    def _compare_image(self, file: ImageFile) -> Problems:
        query = "UPDATE image SET is_ours = 1 WHERE sha256 = ? RETURNING content"
        found = [json.loads(row[0]) for row in self._scratch.execute(query, (file.digest,)).fetchall()]
        theirs, ours = _describe(found[-1]) if found else None, (file.name, *file.size)
        if theirs != ours:
            yield f"image {file.digest:.16}: {theirs} in the file, {ours} on record"


def _describe(image: Mapping[str, Any]) -> tuple[str, int, int]:
    return image["file_name"], image["height"], image["width"]

"""Read COCO files back with pycocotools and compare them with the record."""

import contextlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools.coco import COCO

from ris.core import rle
from ris.core.decision import Decision
from ris.export.dataset import get_mask
from ris.export.differences import Problems, compare_masks
from ris.export.material import Material


def validate_coco(name: str, material: Material, folder: Path) -> Problems:
    """Yield a sentence for each difference between a COCO file and the record.

    Args:
        name: name of the file.
        material: the input of the export, from the record.
        folder: folder of the file.
    """
    with contextlib.redirect_stdout(io.StringIO()):  # the reader prints how long it took
        try:
            file = COCO(str(folder / name))
        except (OSError, ValueError, KeyError) as error:
            yield f"{name} cannot be read by pycocotools: {error}"
            return
    records = [d for d in material.records if not find_image_problem(d, {})]
    ours = [d for d in records if get_mask(d)]
    notes = file.loadAnns(sorted(file.getAnnIds()))
    without = len(file.dataset["info"]["without_mask"])
    if (len(notes), without) != (len(ours), len(records) - len(ours)):
        yield (
            f"{len(notes)} decisions with a mask and {without} without in the file, "
            f"{len(ours)} and {len(records) - len(ours)} on record"
        )
        return
    yield from _compare_images(file.dataset["images"], records, material)
    for note, decision in zip(notes, ours, strict=True):
        what = f"annotation {note['id']}"
        if file.imgs[note["image_id"]]["sha256"] != decision.image_digest:
            yield f"{what}: its image is not the one on record"
            continue
        theirs = rle.encode_rle(file.annToMask(note).astype(np.bool_))
        yield from compare_masks(what, theirs, get_mask(decision))


def _compare_images(
    images: Sequence[Mapping[str, Any]], records: Sequence[Decision], material: Material
) -> Problems:
    theirs = {image["sha256"]: (image["file_name"], image["height"], image["width"]) for image in images}
    ours = {
        d.image_digest: (material.files[d.image_digest].name, *d.image_size)
        for d in records
        if d.image_digest and d.image_size
    }
    if len(theirs) < len(images):
        yield f"{len(images)} images in the file have only {len(theirs)} different digests"
    for digest in sorted(theirs.keys() | ours.keys()):
        if theirs.get(digest) != ours.get(digest):
            yield f"image {digest:.16}: {theirs.get(digest)} in the file, {ours.get(digest)} on record"

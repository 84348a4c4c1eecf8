"""In which pixels the files of an export differ from the record, in sentences."""

from collections.abc import Iterator

from ris.core.masks import compute_iou_matrix
from ris.core.rle import RLE

Problems = Iterator[str]


def compare_masks(what: str, theirs: RLE | None, ours: RLE | None) -> Problems:
    """A sentence when a mask of the files is not the one on record."""
    if theirs == ours:
        return
    if theirs is None or ours is None or theirs.size != ours.size:
        yield f"{what}: its mask is {_describe(theirs)} in the files and {_describe(ours)} on record"
    else:
        iou = compute_iou_matrix([theirs], [ours])[0, 0]
        yield f"{what}: its mask has IoU {iou:.4f} with the one on record"


def _describe(mask: RLE | None) -> str:
    return f"{mask.area_px} px of {mask.size}" if mask else "none"

"""Describe differences between the masks of an export and those on record."""

from collections.abc import Iterator

from ris.core.masks import compute_iou_matrix
from ris.core.rle import RLE

Problems = Iterator[str]


def compare_masks(what: str, theirs: RLE | None, ours: RLE | None) -> Problems:
    """Yield a sentence if two masks differ.

    Args:
        what: name of the item, for the sentence.
        theirs: the mask in the files; None without one.
        ours: the mask on record; None without one.
    """
    if theirs == ours:
        return
    if theirs is None or ours is None or theirs.size != ours.size:
        yield f"{what}: its mask is {_describe(theirs)} in the files and {_describe(ours)} on record"
    else:
        iou = compute_iou_matrix([theirs], [ours])[0, 0]
        yield f"{what}: its mask has IoU {iou:.4f} with the one on record"


def _describe(mask: RLE | None) -> str:
    return f"{mask.area_px} px of {mask.size}" if mask else "none"

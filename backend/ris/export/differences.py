"""Describe differences between the masks of an export and those on record."""

from collections.abc import Iterable, Iterator

from ris.core.masks import compute_iou_matrix
from ris.core.rle import RLE
from ris.datasets.entry import Entry
from ris.export.dataset import DatasetSample

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


def compare_entries(pairs: Iterable[tuple[Entry, DatasetSample]]) -> Problems:
    """Yield a sentence for each difference between expressions in the files and those on record."""
    for number, (entry, sample) in enumerate(pairs, 1):
        compared = (
            ("expression", entry.expression, sample.expression),
            ("image", entry.image, sample.file_name),
            ("size", entry.size, sample.size),
            ("split", entry.split, sample.split),
            ("referent", entry.has_referent, sample.mask is not None),
        )
        for what, theirs, ours in compared:
            if theirs != ours:
                yield f"expression {number}: its {what} is {theirs!r:.60}, on record it is {ours!r:.60}"
        yield from compare_masks(f"expression {number}", entry.mask, sample.mask)


def _describe(mask: RLE | None) -> str:
    return f"{mask.area_px} px of {mask.size}" if mask else "none"

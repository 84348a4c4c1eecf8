"""What an annotator did with what was on offer, decided by the pixels and nothing else."""

from collections.abc import Sequence

from ris.core import rle
from ris.core.masks import compute_boundary_iou, compute_iou_matrix
from ris.core.rle import RLE
from ris.core.types import Alternative, Annotation, Correction, Edit, Verdict


def judge_annotation(annotation: Annotation, offers: Sequence[Alternative]) -> Correction:
    """Compare an answer with the alternatives that were on offer for its expression.

    Args:
        annotation: the answer.
        offers: the alternatives, each with the mask *as it was shown* (a polygon control shows a
            simplified outline).

    Returns:
        * skipped: it was cancelled.
        * no referent: nothing in the image is meant.
        * accepted: pixel for pixel one of the offers.
        * edited: differs, and carries the region id of an offer: of several the most alike.
        * redrawn: carries no region id of ours; its IoU is that with the most alike offer.

    Label Studio's own `origin` and `parent_prediction` lie on some paths through the editor, so they
    are kept as evidence and not asked.
    """
    mask = annotation.mask
    if annotation.cancelled:
        return Correction(annotation, Verdict.SKIPPED)
    if mask is None:
        return Correction(annotation, Verdict.NO_REFERENT)
    comparable = [offer for offer in offers if offer.suggestion.mask.size == mask.size]
    named = [offer for offer in comparable if offer.region_id in annotation.region_ids]
    # Those that it names first: two offers may be equal, e.g. of two model versions.
    for offer in (*named, *comparable):
        if offer.suggestion.mask == mask:
            return Correction(annotation, Verdict.ACCEPTED, rank=offer.suggestion.rank, iou=1.0)
    best, iou = _find_most_similar(mask, named or comparable)
    if best is None or not named:
        return Correction(annotation, Verdict.REDRAWN, iou=iou)
    edit = _make_edit(mask, best.suggestion.mask)
    return Correction(annotation, Verdict.EDITED, rank=best.suggestion.rank, iou=iou, edit=edit)


def _make_edit(final: RLE, offered: RLE) -> Edit:
    now, before = rle.decode_rle(final), rle.decode_rle(offered)
    return Edit(
        added_px=int((now & ~before).sum()),
        removed_px=int((before & ~now).sum()),
        boundary_iou=compute_boundary_iou(now, before),
    )


def _find_most_similar(mask: RLE, offers: Sequence[Alternative]) -> tuple[Alternative | None, float | None]:
    if not offers:
        return None, None
    ious = compute_iou_matrix([mask], [offer.suggestion.mask for offer in offers])[0]
    best = int(ious.argmax())
    return offers[best], float(ious[best])

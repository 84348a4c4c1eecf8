"""Verdicts: what an annotator did with the alternatives, decided by pixels alone."""

from collections.abc import Sequence

from ris.core import rle
from ris.core.masks import compute_boundary_iou, compute_iou_matrix
from ris.core.rle import RLE
from ris.core.types import Alternative, Annotation, Correction, Edit, Verdict


def judge_annotation(annotation: Annotation, alternatives: Sequence[Alternative]) -> Correction:
    """Compare an answer with the alternatives of its expression.

    Label Studio's own `origin` and `parent_prediction` are not used, because some paths through the editor
    set them wrongly.

    Args:
        annotation: the answer.
        alternatives: each with the mask *as it was shown* (a polygon control shows a simplified outline).

    Returns:
        * skipped: the answer was cancelled.
        * no referent: the answer says that the image has no referent.
        * accepted: the mask equals an alternative pixel for pixel.
        * edited: the mask differs and has the region id of an alternative; of several the most similar.
        * redrawn: the mask has no region id of an alternative. Its IoU is that with the most similar one.
    """
    mask = annotation.mask
    if annotation.cancelled:
        return Correction(annotation, Verdict.SKIPPED)
    if mask is None:
        return Correction(annotation, Verdict.NO_REFERENT)
    comparable = [one for one in alternatives if one.suggestion.mask.size == mask.size]
    named = [one for one in comparable if one.region_id in annotation.region_ids]
    # Those with a region id first: two alternatives may be equal, e.g. of two model versions.
    for one in (*named, *comparable):
        if one.suggestion.mask == mask:
            return Correction(annotation, Verdict.ACCEPTED, rank=one.suggestion.rank, iou=1.0)
    best, iou = _find_most_similar(mask, named or comparable)
    if best is None or not named:
        return Correction(annotation, Verdict.REDRAWN, iou=iou)
    edit = _make_edit(mask, best.suggestion.mask)
    return Correction(annotation, Verdict.EDITED, rank=best.suggestion.rank, iou=iou, edit=edit)


def _make_edit(final: RLE, suggested: RLE) -> Edit:
    now, before = rle.decode_rle(final), rle.decode_rle(suggested)
    return Edit(
        added_px=int((now & ~before).sum()),
        removed_px=int((before & ~now).sum()),
        boundary_iou=compute_boundary_iou(now, before),
    )


def _find_most_similar(
    mask: RLE, alternatives: Sequence[Alternative]
) -> tuple[Alternative | None, float | None]:
    if not alternatives:
        return None, None
    ious = compute_iou_matrix([mask], [one.suggestion.mask for one in alternatives])[0]
    best = int(ious.argmax())
    return alternatives[best], float(ious[best])

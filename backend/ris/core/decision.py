"""Decisions of annotators, as exports, evaluations and learning read them."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from ris.core.comparison import Comparison, compare_answer
from ris.core.types import Alternative, Correction, Edit, Size, Task, Verdict


@dataclass(frozen=True, slots=True)
class Decision:
    """The current answer of one annotation, with the alternatives that it was compared with.

    Attributes:
        correction: the answer and its verdict.
        alternatives: those of its task and expression, best first.
        image_digest: SHA-256 of the image's file; None when this backend never fetched the image.
        image_size: (height, width) as displayed; None when this backend never fetched the image.
        version: model version of the alternatives; None when there were none.
    """

    correction: Correction
    alternatives: tuple[Alternative, ...]
    image_digest: str | None
    image_size: Size | None
    version: str | None


class JudgedAnswer(NamedTuple):
    """What the figures need of one current answer: no mask, so that a million fit into memory one by one.

    Attributes:
        row_id: of the answer's version in SQL; 0 when it is not stored.
        task: the task.
        image: key of the image: its digest, or its project and reference where the digest is unknown.
            Answers about one image are not independent, so intervals are over images.
        updated_at: when the answer was given.
        annotator: Label Studio's user id; None when unknown.
        lead_time_s: seconds in the editor; None when unknown.
        verdict: what the annotator did.
        has_mask: whether there is a final mask.
        rank: of the alternative that was accepted or edited.
        iou: of the final mask with that alternative.
        edit: how it was changed; None unless edited.
        version: of the alternatives; None without any.
        comparison: of the answer with the alternatives.
    """

    row_id: int
    task: Task
    image: tuple[str, str]
    updated_at: datetime
    annotator: int | None
    lead_time_s: float | None
    verdict: Verdict
    has_mask: bool
    rank: int | None
    iou: float | None
    edit: Edit | None
    version: str | None
    comparison: Comparison


def get_image_key(task: Task, digest: str | None) -> tuple[str, str]:
    """Return the key of an image: its digest, or project and reference if the digest is unknown."""
    return ("", digest) if digest else (task.project, task.image_url)


def to_judged_answer(decision: Decision, row_id: int = 0) -> JudgedAnswer:
    """Return what the figures need of a decision; its masks are compared."""
    correction, annotation = decision.correction, decision.correction.annotation
    mask = annotation.mask if correction.verdict.has_mask else None
    return JudgedAnswer(
        row_id, annotation.task, get_image_key(annotation.task, decision.image_digest),
        annotation.updated_at, annotation.annotator, annotation.lead_time_s, correction.verdict,
        mask is not None, correction.rank, correction.iou, correction.edit, decision.version,
        compare_answer(mask, decision.alternatives),
    )  # fmt: skip

"""One decision as something to learn from: every method's scores of every proposal, and which were right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ris.core.decision import Decision
from ris.core.masks import compute_iou_matrix
from ris.core.rle import RLE
from ris.core.types import Verdict
from ris.referring.kinds import find_kind
from ris.referring.ranking import Coefficients, RankingSettings, compute_discounts, fuse_scores

RIGHT_IOU = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class TrainingCase:
    """One decision with the N proposals that were ranked for it.

    Attributes:
        kind: of the expression.
        image: cases of one image are not independent.
        scores: by method, float32 [N]; methods that had no say are not in it.
        discount: float64 [N], what the rules for parts and for the whole image multiply.
        ious: float64 [N], of each proposal with the final mask; zeros where there is no such thing.
    """

    kind: str
    image: str
    scores: Mapping[str, NDArray[np.float32]]
    discount: NDArray[np.float64]
    ious: NDArray[np.float64]

    @property
    def is_right(self) -> NDArray[np.bool_]:
        """Which proposals are what was meant: bool [N]."""
        return self.ious >= RIGHT_IOU

    def fuse(self, found: Coefficients) -> NDArray[np.float64]:
        """The fused probabilities under some coefficients: float64 [N], sums to 1."""
        fusion = found.by_kind.get(self.kind, found.fusion)
        weighed = self.discount * fuse_scores(self.scores, fusion)
        return np.asarray(weighed / weighed.sum())

    def find_first(self, found: Coefficients) -> tuple[float, float]:
        """Of what comes first under some coefficients: its probability, and its IoU with the final mask."""
        fused = self.fuse(found)
        best = int(fused.argmax())
        return float(fused[best]), float(self.ious[best])


def make_training_case(
    decision: Decision,
    proposals: Sequence[RLE],
    scores: Mapping[str, NDArray[np.float32]],
    settings: RankingSettings,
) -> TrainingCase | None:
    """The case of a decision; None where it teaches nothing.

    Args:
        proposals: N masks that were ranked; none where that was not kept.
        scores: by method, [N]; of another length where the method had no say.
    """
    correction = decision.correction
    mask = correction.annotation.mask if correction.verdict.has_mask else None
    if correction.verdict is Verdict.SKIPPED or not proposals:
        return None
    if mask is not None and mask.size != proposals[0].size:
        return None
    said = {method: given for method, given in scores.items() if len(given) == len(proposals)}
    if not said:
        return None
    ious = compute_iou_matrix(proposals, [mask])[:, 0] if mask is not None else np.zeros(len(proposals))
    task = correction.annotation.task
    return TrainingCase(
        kind=find_kind(task.expression),
        image=decision.image_digest or f"{task.project} {task.image_url}",
        scores=said,
        discount=compute_discounts(proposals, settings),
        ious=ious,
    )

"""Training cases: every method's scores of the proposals of one decision, and which are right."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

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
        image: identifies the image; cases of one image are not independent.
        scores: by method, float32 [N]; methods that were skipped are left out.
        discount: float64 [N], factors by the rules for parts and for the whole image.
        ious: float64 [N], of each proposal with the final mask; zeros when the image has no referent.
        late: of each of the last proposals, the method that said where it is.
        absence: by method, whether it said that there is no referent, see `MethodScores`.
        has_referent: whether the annotator found one.
    """

    kind: str
    image: str
    scores: Mapping[str, NDArray[np.float32]]
    discount: NDArray[np.float64]
    ious: NDArray[np.float64]
    late: tuple[str, ...] = ()
    absence: Mapping[str, float] = field(default_factory=dict)
    has_referent: bool = True

    @property
    def is_right(self) -> NDArray[np.bool_]:
        """Which proposals have an IoU of at least 0.5 with the final mask: bool [N]."""
        return self.ious >= RIGHT_IOU

    def fuse(self, found: Coefficients) -> NDArray[np.float64]:
        """Compute the fused probabilities with some coefficients: float64 [N], sums to 1.

        A late proposal of a method without weight is 0, because such a method makes none.
        """
        fusion = found.by_kind.get(self.kind, found.fusion)
        discounted = self.discount * fuse_scores(self.scores, fusion)
        n_early = len(discounted) - len(self.late)
        for i, method in enumerate(self.late):
            if n_early and fusion.weights.get(method, 1.0) <= 0:
                discounted[n_early + i] = 0.0
        return np.asarray(discounted / discounted.sum())

    def leave_out(self, methods: Collection[str]) -> "TrainingCase | None":
        """Return the case without some methods and their late proposals; None if nothing is left."""
        n_early = len(self.ious) - len(self.late)
        kept = [*range(n_early), *(n_early + i for i, m in enumerate(self.late) if m not in methods)]
        scores = {method: one[kept] for method, one in self.scores.items() if method not in methods}
        if not kept or not scores:
            return None
        late = tuple(method for method in self.late if method not in methods)
        return replace(self, scores=scores, discount=self.discount[kept], ious=self.ious[kept], late=late)

    def find_first(self, found: Coefficients) -> tuple[float, float]:
        """Find the first proposal with some coefficients: its probability, and its IoU with the mask."""
        fused = self.fuse(found)
        best = int(fused.argmax())
        return float(fused[best]), float(self.ious[best])


def make_training_case(
    decision: Decision,
    proposals: Sequence[RLE],
    scores: Mapping[str, NDArray[np.float32]],
    settings: RankingSettings,
    *,
    late: Sequence[str] = (),
    absence: Mapping[str, float] = MappingProxyType({}),
) -> TrainingCase | None:
    """Make the training case of a decision.

    Args:
        decision: an annotator's answer.
        proposals: N masks that were ranked; empty when they were not stored.
        scores: by method, [N]; of another length when the method was skipped.
        settings: of the ranking; they give the discounts.
        late: of each of the last proposals, the method that said where it is.
        absence: by method, whether it said that there is no referent.

    Returns:
        None when the task was skipped, when the proposals were not stored or are of another size, and when
        all methods were skipped.
    """
    correction = decision.correction
    mask = correction.annotation.mask if correction.verdict.has_mask else None
    if correction.verdict is Verdict.SKIPPED or not proposals:
        return None
    if mask is not None and mask.size != proposals[0].size:
        return None
    usable = {method: one for method, one in scores.items() if len(one) == len(proposals)}
    if not usable:
        return None
    ious = compute_iou_matrix(proposals, [mask])[:, 0] if mask is not None else np.zeros(len(proposals))
    task = correction.annotation.task
    return TrainingCase(
        kind=find_kind(task.expression),
        image=decision.image_digest or f"{task.project} {task.image_url}",
        scores=usable,
        discount=compute_discounts(proposals, settings, n_late=len(late)),
        ious=ious,
        late=tuple(late),
        absence=absence,
        has_referent=mask is not None,
    )

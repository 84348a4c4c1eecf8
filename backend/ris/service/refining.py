"""Fixing: a click, a box or a stroke in the editor becomes a mask, in the light of what was asked."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ris.core import rle
from ris.core.masks import compute_iou_matrix
from ris.core.proposals import Prompts, Proposals
from ris.core.rle import RLE
from ris.core.types import Alternative, Image, Task
from ris.errors import InputError, NotReady
from ris.service.suggesting import SuggestionService
from ris.service.worker import Worker

log = logging.getLogger(__name__)

_EXPRESSION_WEIGHT = 0.5  # how much the expression's opinion counts beside SAM's own


@dataclass(frozen=True, slots=True)
class RefinedMask:
    """A mask for what somebody pointed at.

    Attributes:
        offer: the alternative that it was made from; None when it was made from nothing.
        score: in [0, 1], SAM's own trust.
    """

    mask: RLE
    alternative: Alternative | None
    score: float


class RefinementService:
    """Answers clicks, over the same networks and the same record as suggestions.

    Args:
        fetch: gives a task's decoded image, or raises an ImageError.
    """

    def __init__(self, worker: Worker, suggesting: SuggestionService, fetch: Callable[[Task], Image]) -> None:
        self.worker, self.suggesting, self.fetch = worker, suggesting, fetch

    def refine(self, task: Task, prompts: Prompts, *, deadline_s: float) -> RefinedMask | None:
        """The mask that is meant; None when SAM makes none of it.

        A click on an alternative refines that one: its mask goes into SAM as a prompt. Of SAM's three masks
        the one is taken that it trusts and that fits what the expression was thought to mean.

        Raises:
            InputError: the prompts are of another size than the image.
            ImageError, NotReady: the image cannot be had, the networks not used.
        """
        image = self.fetch(task)
        if image.size != prompts.size:
            raise InputError(
                f"task {task.task_id}: the editor shows the image as {prompts.size}, its file is {image.size}"
            )
        offers = self.suggesting.offers(task)
        meant = find_clicked_alternative(offers, prompts)
        if prompts.mask is None and meant is not None:
            prompts = replace(prompts, mask=meant.suggestion.mask)
        try:
            _, found = self.worker.refine(image, prompts).result(timeout=deadline_s)
        except TimeoutError as error:
            raise NotReady(f"no mask was ready within {deadline_s:g} s; click again") from error
        if not len(found):
            return None
        codes = [rle.encode_rle(mask) for mask in found.masks]
        best = int(compute_fitness(found, codes, offers).argmax())
        return RefinedMask(codes[best], meant, float(found.quality[best]))


def find_clicked_alternative(offers: Sequence[Alternative], prompts: Prompts) -> Alternative | None:
    """The best alternative that all positive clicks lie on and no negative one; None without such.

    A negative click cuts a piece off: where there is no other, it may lie on the alternative.
    """
    fits = [o for o in offers if o.suggestion.mask.size == prompts.size]
    for wanted in (True, False):
        for offer in fits:
            on = _find_points_on_mask(offer.suggestion.mask, prompts.points)
            if len(on) and on[prompts.positive].all() and not (wanted and on[~prompts.positive].any()):
                return offer
    return None


def _find_points_on_mask(mask: RLE, points: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which points, x and y, lie on the mask: bool [P]."""
    dense = rle.decode_rle(mask)
    limits = np.array([dense.shape[1] - 1, dense.shape[0] - 1])
    x, y = np.clip(points.astype(np.int64), 0, limits).T
    return np.asarray(dense[y, x])


def compute_fitness(
    found: Proposals, codes: Sequence[RLE], offers: Sequence[Alternative]
) -> NDArray[np.float64]:
    """SAM's trust in each mask, and how well it fits what the expression was thought to mean: float64 [N]."""
    same_size = [o.suggestion for o in offers if o.suggestion.mask.size == codes[0].size]
    trust = found.quality.astype(np.float64)
    if not same_size:
        return trust
    ious = compute_iou_matrix(codes, [s.mask for s in same_size])
    scores = np.array([s.score for s in same_size])
    return np.asarray(trust + _EXPRESSION_WEIGHT * (ious * scores / max(scores.sum(), 1e-9)).sum(1))

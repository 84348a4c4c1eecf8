"""Refinement: a click, a box or a stroke in the editor becomes a mask that fits the expression."""

import logging
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ris.core import rle
from ris.core.masks import compute_iou_matrix
from ris.core.proposals import Prompts, Proposals
from ris.core.rle import RLE
from ris.core.types import Alternative, LargeImage, Task
from ris.errors import InputError, NotReady
from ris.service.job_queue import STOPPING_MESSAGE
from ris.service.suggesting import ImageLoader, SuggestionService
from ris.service.worker import Worker

log = logging.getLogger(__name__)
R = TypeVar("R")

_EXPRESSION_WEIGHT = 0.5  # of the agreement with the alternatives, relative to SAM's predicted IoU


@dataclass(frozen=True, slots=True)
class RefinedMask:
    """A mask made from clicks, a box or a stroke.

    Attributes:
        mask: of the image's size.
        alternative: the alternative that was refined; None when there was none.
        score: SAM's predicted IoU, in [0, 1].
    """

    mask: RLE
    alternative: Alternative | None
    score: float


class RefinementService:
    """Makes masks from prompts, with the networks and the stored alternatives of the suggestions.

    Args:
        worker: runs the networks.
        suggesting: has the stored alternatives.
        fetch: returns a task's decoded image, or one that waits, or raises an ImageError.
    """

    def __init__(self, worker: Worker, suggesting: SuggestionService, fetch: ImageLoader) -> None:
        self.worker, self.suggesting, self.fetch = worker, suggesting, fetch

    def refine(self, task: Task, prompts: Prompts, *, deadline_s: float) -> RefinedMask | None:
        """Return the mask for the prompts; None when SAM makes none that contains all positive clicks.

        It never takes longer than the deadline.

        A click on an alternative refines that alternative: its mask is a prompt for SAM. SAM returns three
        masks; `compute_fitness` chooses one of those that contain the positive clicks.

        Args:
            task: the task.
            prompts: clicks, a box or a mask, in pixels of the image.
            deadline_s: seconds for the image and the networks together.

        Raises:
            InputError: the prompts are for another image size.
            ImageError: the image cannot be fetched or decoded.
            NotReady: the networks are not loaded, or the deadline has passed.
        """
        until = time.monotonic() + deadline_s
        fetched = self._wait(self.suggesting.fetch_soon(self.fetch, task), until, deadline_s)
        if isinstance(fetched, LargeImage):
            image = self._wait(self.suggesting.load_large_soon(fetched), until, deadline_s)
        else:
            image = fetched
        if image.size != prompts.size:
            raise InputError(
                f"task {task.task_id}: the editor has the image size {prompts.size}, the file {image.size} "
                "(height, width); reload the task"
            )
        alternatives = self.suggesting.find_alternatives(task)
        clicked = find_clicked_alternative(alternatives, prompts)
        if prompts.mask is None and clicked is not None:
            prompts = replace(prompts, mask=clicked.suggestion.mask)
        _, proposals = self._wait(self.worker.refine(image, prompts), until, deadline_s)
        if not len(proposals):
            return None
        masks = [rle.encode_rle(mask) for mask in proposals.masks]
        has_clicks = np.array(
            [_find_points_on_mask(m, prompts.points)[prompts.positive].all() for m in masks]
        )
        if not has_clicks.any():
            return None
        fitness = compute_fitness(proposals, masks, alternatives)
        best = int(np.where(has_clicks, fitness, -np.inf).argmax())
        return RefinedMask(masks[best], clicked, float(proposals.quality[best]))

    def _wait(self, job: "Future[R]", until: float, deadline_s: float) -> R:
        """Return the result of a job; one that nobody waits for any more does not begin."""
        self.suggesting.wait([job], deadline_s=until - time.monotonic())
        if job.done() and not job.cancelled():
            return job.result()
        job.cancel()
        if self.worker.is_stopping:
            raise NotReady(STOPPING_MESSAGE)
        raise NotReady(f"no mask was ready within {deadline_s:g} s; click again")


def find_clicked_alternative(alternatives: Sequence[Alternative], prompts: Prompts) -> Alternative | None:
    """Return the best alternative that contains all positive clicks and no negative one.

    A negative click removes a part: when no alternative is free of negative clicks, one that contains them
    is returned. None when no alternative contains all positive clicks.
    """
    same_size = [a for a in alternatives if a.suggestion.mask.size == prompts.size]
    for is_strict in (True, False):
        for alternative in same_size:
            on = _find_points_on_mask(alternative.suggestion.mask, prompts.points)
            if len(on) and on[prompts.positive].all() and not (is_strict and on[~prompts.positive].any()):
                return alternative
    return None


def _find_points_on_mask(mask: RLE, points: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return whether each point lies on the mask, bool [P]; points are float32 [P, 2], x and y in pixels."""
    dense = rle.decode_rle(mask)
    limits = np.array([dense.shape[1] - 1, dense.shape[0] - 1])
    x, y = np.clip(points.astype(np.int64), 0, limits).T
    return np.asarray(dense[y, x])


def compute_fitness(
    proposals: Proposals, masks: Sequence[RLE], alternatives: Sequence[Alternative]
) -> NDArray[np.float64]:
    """Return the fitness of each mask, float64 [N].

    The fitness is SAM's predicted IoU plus the weighted mean IoU with the alternatives, weighted by their
    scores.

    Args:
        proposals: N masks of SAM.
        masks: the same masks, encoded.
        alternatives: those of the task; only those of the masks' size count.
    """
    same_size = [a.suggestion for a in alternatives if a.suggestion.mask.size == masks[0].size]
    predicted_iou = proposals.quality.astype(np.float64)
    if not same_size:
        return predicted_iou
    ious = compute_iou_matrix(masks, [s.mask for s in same_size])
    scores = np.array([s.score for s in same_size])
    return np.asarray(predicted_iou + _EXPRESSION_WEIGHT * (ious * scores / max(scores.sum(), 1e-9)).sum(1))

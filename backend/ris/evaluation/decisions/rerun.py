"""Rank decided tasks again, with another preset or with one method alone."""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from ris.core.comparison import compare_answer
from ris.core.decision import Decision, get_image_key
from ris.core.shares import Share, estimate_share
from ris.core.types import Alternative, Image, Task
from ris.errors import BackendError, InputError
from ris.referring.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class Rerun:
    """One decision, evaluated with the recorded alternatives and with those of another pipeline.

    Attributes:
        image: key of its image.
        before: IoU of the final mask with each alternative that the annotator saw, in the order of ranks.
        after: the same for the alternatives of the other pipeline; empty if the task could not be ranked
            again, which counts as a miss.
        reason: why the task could not be ranked again; "" if it was.
    """

    image: tuple[str, str]
    before: tuple[float, ...]
    after: tuple[float, ...]
    reason: str = ""


def isolate_method(pipeline: Pipeline, method: str) -> Pipeline:
    """Return the pipeline with weight 1 for one method and weight 0 for all others.

    Raises:
        InputError: the pipeline has no such method.
    """
    names = pipeline.method_names
    if method not in names:
        raise InputError(f"there is no method {method!r}; there are {', '.join(names)}")
    weights = {name: float(name == method) for name in names}
    return replace(pipeline, ranking=replace(pipeline.ranking, weights=weights, by_kind={}))


def rerun(
    pipeline: Pipeline, decisions: Iterable[Decision], fetch: Callable[[Task], Image]
) -> Iterator[Rerun]:
    """Rank again the tasks of all decisions that have a mask.

    Each image is processed once for all its decisions; only the decisions of one image are in memory.

    Args:
        pipeline: ranks the alternatives.
        decisions: those of one image one after another. Those without a mask are skipped.
        fetch: returns the image of a task, or raises an ImageError.
    """
    for _, of_image in groupby(decisions, _get_reference):
        group = [
            d for d in of_image if d.correction.verdict.has_mask and d.correction.annotation.mask is not None
        ]
        if not group:
            continue
        expressions = [d.correction.annotation.task.expression for d in group]
        try:
            image = fetch(group[0].correction.annotation.task)
            results = pipeline.refer_all(pipeline.see(image), expressions, image)
        except BackendError as error:
            yield from (Rerun(_get_image(d), _compute_ious(d, d.alternatives), (), str(error)) for d in group)
            continue
        for decision, result in zip(group, results, strict=True):
            alternatives = tuple(Alternative(f"rerun-{s.rank}", s) for s in result.suggestions)
            before = _compute_ious(decision, decision.alternatives)
            yield Rerun(_get_image(decision), before, _compute_ious(decision, alternatives))


def _get_reference(decision: Decision) -> tuple[str, str]:
    task = decision.correction.annotation.task
    return task.project, task.image_url


def _get_image(decision: Decision) -> tuple[str, str]:
    return get_image_key(decision.correction.annotation.task, decision.image_digest)


def _compute_ious(decision: Decision, alternatives: Sequence[Alternative]) -> tuple[float, ...]:
    return compare_answer(decision.correction.annotation.mask, alternatives).ious


def compare_reruns(reruns: Iterable[Rerun]) -> dict[str, tuple[Share, Share, Share]]:
    """Compare the metrics before and after on the same decisions.

    Args:
        reruns: read once; about 70 bytes of each, and a key for each image, are kept.

    Returns:
        By metric of `RERUN_METRICS`: the mean before, the mean after, and the paired difference. A task that
        could not be ranked again counts as 0 after.
    """
    images: dict[tuple[str, str], int] = {}
    groups = array("l")
    before = {name: array("d") for name in RERUN_METRICS}
    after = {name: array("d") for name in RERUN_METRICS}
    for one in reruns:
        groups.append(images.setdefault(one.image, len(images)))
        for name, value in RERUN_METRICS.items():
            before[name].append(value(one.before))
            after[name].append(value(one.after))
    return {
        name: (
            estimate_share(before[name], groups),
            estimate_share(after[name], groups),
            estimate_share(np.subtract(after[name], before[name]), groups),
        )
        for name in RERUN_METRICS
    }


RERUN_METRICS: dict[str, Callable[[tuple[float, ...]], float]] = {
    "mean IoU, top 1": lambda ious: next(iter(ious), 0.0),
    "mean IoU, best shown": lambda ious: max(ious, default=0.0),
    "P@0.5, top 1": lambda ious: float(next(iter(ious), 0.0) > 0.5),
    "P@0.5, best shown": lambda ious: float(max(ious, default=0.0) > 0.5),
}

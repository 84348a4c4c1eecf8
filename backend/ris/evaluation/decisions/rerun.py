"""Rank decided tasks again, with another preset or with one method alone."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

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
    names = [one.name for one in pipeline.methods]
    if method not in names:
        raise InputError(f"there is no method {method!r}; there are {', '.join(names)}")
    weights = {name: float(name == method) for name in names}
    return replace(pipeline, ranking=replace(pipeline.ranking, weights=weights, by_kind={}))


def rerun(
    pipeline: Pipeline, decisions: Sequence[Decision], fetch: Callable[[Task], Image]
) -> Iterator[Rerun]:
    """Rank again the tasks of all decisions that have a mask.

    Each image is processed once for all its decisions.

    Args:
        pipeline: ranks the alternatives.
        decisions: those without a mask are skipped.
        fetch: returns the image of a task, or raises an ImageError.
    """
    by_image: dict[tuple[str, str], list[Decision]] = {}
    for decision in decisions:
        task = decision.correction.annotation.task
        if decision.correction.verdict.has_mask and decision.correction.annotation.mask is not None:
            by_image.setdefault((task.project, task.image_url), []).append(decision)
    for group in by_image.values():
        expressions = [d.correction.annotation.task.expression for d in group]
        try:
            scene = pipeline.see(fetch(group[0].correction.annotation.task))
            results = pipeline.refer_all(scene, expressions)
        except BackendError as error:
            yield from (Rerun(_get_image(d), _compute_ious(d, d.alternatives), (), str(error)) for d in group)
            continue
        for decision, result in zip(group, results, strict=True):
            alternatives = tuple(Alternative(f"rerun-{s.rank}", s) for s in result.suggestions)
            before = _compute_ious(decision, decision.alternatives)
            yield Rerun(_get_image(decision), before, _compute_ious(decision, alternatives))


def _get_image(decision: Decision) -> tuple[str, str]:
    return get_image_key(decision.correction.annotation.task, decision.image_digest)


def _compute_ious(decision: Decision, alternatives: Sequence[Alternative]) -> tuple[float, ...]:
    return compare_answer(decision.correction.annotation.mask, alternatives).ious


def compare_reruns(reruns: Sequence[Rerun]) -> dict[str, tuple[Share, Share, Share]]:
    """Compare the metrics before and after on the same decisions.

    Returns:
        By metric of `RERUN_METRICS`: the mean before, the mean after, and the paired difference. A task that
        could not be ranked again counts as 0 after.
    """
    images = {image: i for i, image in enumerate(dict.fromkeys(one.image for one in reruns))}
    groups = [images[one.image] for one in reruns]
    table = {}
    for name, value in RERUN_METRICS.items():
        before = [value(one.before) for one in reruns]
        after = [value(one.after) for one in reruns]
        differences = [b - a for a, b in zip(before, after, strict=True)]
        table[name] = (
            estimate_share(before, groups),
            estimate_share(after, groups),
            estimate_share(differences, groups),
        )
    return table


RERUN_METRICS: dict[str, Callable[[tuple[float, ...]], float]] = {
    "mean IoU, top 1": lambda ious: next(iter(ious), 0.0),
    "mean IoU, best shown": lambda ious: max(ious, default=0.0),
    "P@0.5, top 1": lambda ious: float(next(iter(ious), 0.0) > 0.5),
    "P@0.5, best shown": lambda ious: float(max(ious, default=0.0) > 0.5),
}

"""What another preset, or one method alone, would have offered for tasks that annotators have decided."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from ris.core.decision import Decision
from ris.core.shares import Share, estimate_share
from ris.core.types import Alternative, Image, Task
from ris.errors import BackendError, InputError
from ris.evaluation.decisions.metrics import DecisionEvaluation, evaluate_decision, get_first_iou
from ris.referring.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class Rerun:
    """One decision, with what was offered then and with what would be offered now.

    Attributes:
        now: None when it could not be run again, and `reason` says why; that is a miss.
    """

    then: DecisionEvaluation
    now: DecisionEvaluation | None
    reason: str = ""


def isolate_method(pipeline: Pipeline, method: str) -> Pipeline:
    """The pipeline with one method's vote only.

    Raises:
        InputError: it has no such method.
    """
    names = [one.name for one in pipeline.methods]
    if method not in names:
        raise InputError(f"there is no method {method!r}; there are {', '.join(names)}")
    weights = {name: float(name == method) for name in names}
    return replace(pipeline, ranking=replace(pipeline.ranking, weights=weights, by_kind={}))


def rerun(
    pipeline: Pipeline, decisions: Sequence[Decision], fetch: Callable[[Task], Image]
) -> Iterator[Rerun]:
    """Rank again for every decision that says which mask is meant; an image is seen once for all of its.

    Args:
        fetch: gives a task's image, or raises an ImageError.
    """
    by_image: dict[tuple[str, str], list[Decision]] = {}
    for decision in decisions:
        task = decision.correction.annotation.task
        if decision.correction.verdict.has_mask and decision.correction.annotation.mask is not None:
            by_image.setdefault((task.project, task.image_url), []).append(decision)
    for group in by_image.values():
        words = [d.correction.annotation.task.expression for d in group]
        try:
            scene = pipeline.see(fetch(group[0].correction.annotation.task))
            references = pipeline.refer_all(scene, words)
        except BackendError as error:
            yield from (Rerun(evaluate_decision(d), None, str(error)) for d in group)
            continue
        for decision, reference in zip(group, references, strict=True):
            offers = tuple(Alternative(f"rerun-{s.rank}", s) for s in reference.suggestions)
            again = replace(decision, alternatives=offers, version=reference.version)
            yield Rerun(evaluate_decision(decision), evaluate_decision(again))


def compare_reruns(found: Sequence[Rerun]) -> dict[str, tuple[Share, Share, Share]]:
    """By figure: then, now, and now above then on the same decisions; what could not be run is a miss."""
    images = {image: i for i, image in enumerate(dict.fromkeys(one.then.image for one in found))}
    groups = [images[one.then.image] for one in found]
    table = {}
    for name, value in RERUN_METRICS.items():
        then = [value(one.then) for one in found]
        now = [value(one.now) if one.now else 0.0 for one in found]
        above = [b - a for a, b in zip(then, now, strict=True)]
        table[name] = (
            estimate_share(then, groups),
            estimate_share(now, groups),
            estimate_share(above, groups),
        )
    return table


RERUN_METRICS: dict[str, Callable[[DecisionEvaluation], float]] = {
    "mIoU of the first": lambda j: get_first_iou(j.ious),
    "mIoU of the best": lambda j: max(j.ious, default=0.0),
    "P@0.5 of the first": lambda j: float(get_first_iou(j.ious) > 0.5),
    "P@0.5 of the best": lambda j: float(max(j.ious, default=0.0) > 0.5),
}

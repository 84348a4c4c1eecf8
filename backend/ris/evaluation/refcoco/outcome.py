"""Compare the first mask of each ranking with the referent of an expression."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ris.core import rle
from ris.core.rle import RLE
from ris.core.types import Image, MethodScores
from ris.datasets.benchmark import Benchmark
from ris.datasets.entry import Entry
from ris.errors import ImageError, ImageUnreadable
from ris.evaluation.rankings import FUSION, has_preference
from ris.referring.pipeline import Pipeline, ReferResult
from ris.referring.ranking import compute_ranks
from ris.referring.scene import Scene

NO_PROPOSALS = "no mask was proposed"
NO_PREFERENCE = "it gives every proposal the same score"


@dataclass(frozen=True, slots=True)
class FirstMask:
    """The first mask of one ranking.

    Attributes:
        mask: the mask; None if there is none.
        failure: why the ranking has no answer; "" if it has one. "No mask" is an answer.
    """

    mask: RLE | None
    failure: str = ""


@dataclass(frozen=True, slots=True)
class BenchmarkOutcome:
    """One expression with one ranking: a row of the results of a benchmark.

    Attributes:
        dataset: name of the dataset.
        split_by: who defined the split, such as "unc".
        split: name of the split.
        image: name of the image in the dataset.
        sample: index of the expression in the dataset, from 0; the same for all rankings.
        expression: the expression.
        method: name of a method, or "fusion".
        has_referent: whether the image shows a referent, according to the dataset.
        intersection_px: pixels in both the first mask and the referent.
        union_px: pixels in the first mask or the referent. A miss counts the area of the referent; a mask for
            an expression without a referent counts its own area.
        iou: intersection over union in [0, 1]; 0 if the union is empty; 1 if no mask was offered for an
            expression without a referent.
        mask: the first mask as COCO's compressed run lengths; "" if there is none.
        height: height of the image in pixels, needed to decode `mask`.
        width: width of the image in pixels.
        reason: why there is no first mask; "" if there is one or if none is right.
        model_version: version of the pipeline.
        seconds: time for the image and all its expressions, divided by the number of expressions.
    """

    dataset: str
    split_by: str
    split: str
    image: str
    sample: int
    expression: str
    method: str
    has_referent: bool
    intersection_px: int
    union_px: int
    iou: float
    mask: str
    height: int
    width: int
    reason: str
    model_version: str
    seconds: float


@dataclass(frozen=True, slots=True)
class BenchmarkImage:
    """One image of one split.

    Attributes:
        split: name of the split.
        image: name of the image in the dataset.
        samples: its expressions, each with its index in the dataset.
    """

    split: str
    image: str
    samples: tuple[tuple[int, Entry], ...]


def group_by_image(benchmark: Benchmark, splits: Sequence[str]) -> list[BenchmarkImage]:
    """Group the expressions of some splits by image.

    Returns:
        The images, split by split, each split in the order of its first expressions.
    """
    by_image: dict[tuple[str, str], list[tuple[int, Entry]]] = {}
    for split in splits:
        for number, entry in enumerate(benchmark.entries):
            if entry.split == split:
                by_image.setdefault((split, entry.image), []).append((number, entry))
    return [BenchmarkImage(split, image, tuple(samples)) for (split, image), samples in by_image.items()]


def evaluate_image(
    benchmark: Benchmark,
    group: BenchmarkImage,
    pipeline: Pipeline,
    load: Callable[[str], Image],
    clock: Callable[[], float],
) -> list[BenchmarkOutcome]:
    """Process one image, rank the proposals for all its expressions, and evaluate the first masks.

    If the image cannot be loaded, all its expressions are misses, with the reason.

    Args:
        benchmark: the dataset.
        group: the image and its expressions.
        pipeline: ranks the proposals.
        load: returns the image of a name, or raises an ImageError.
        clock: returns seconds, to measure the time.

    Returns:
        One outcome for each expression and ranking.
    """
    start = clock()
    entries = [entry for _, entry in group.samples]
    try:
        answers = _rank_entries(pipeline, load(group.image), entries)
    except ImageError as error:
        rankings = [*pipeline.method_names, FUSION]
        answers = [{name: FirstMask(None, str(error)) for name in rankings}] * len(entries)
    seconds = (clock() - start) / len(entries)
    return [
        _make_outcome(benchmark, number, entry, method, answer, pipeline.version, seconds)
        for (number, entry), by_method in zip(group.samples, answers, strict=True)
        for method, answer in by_method.items()
    ]


def _rank_entries(pipeline: Pipeline, image: Image, entries: Sequence[Entry]) -> list[dict[str, FirstMask]]:
    for height, width in {entry.size for entry in entries if entry.size} - {image.size}:
        raise ImageUnreadable(
            f"the image is {image.size[0]} x {image.size[1]} pixels (height x width), "
            f"the dataset says {height} x {width}"
        )
    scene = pipeline.see(image)
    results = pipeline.refer_all(scene, [entry.expression for entry in entries], image)
    return [dict(find_first_masks(scene, result)) for result in results]


def find_first_masks(scene: Scene, result: ReferResult) -> Iterator[tuple[str, FirstMask]]:
    """Find the first mask of each method and of the fusion.

    A method that gives all proposals the same score has no first mask, as in `ris benchmark tinyworld`. The
    authors' programs would take the first proposal.

    Returns:
        Pairs of the ranking's name and its first mask.
    """
    masks = result.list_masks(scene)
    for method_scores in result.scores:
        yield method_scores.method, _find_first_mask(masks, method_scores)
    suggestions = result.suggestions
    failure = "" if suggestions or not masks else "no method scored the proposals"
    yield FUSION, FirstMask(suggestions[0].mask if suggestions else None, failure)


def _find_first_mask(masks: Sequence[RLE], method_scores: MethodScores) -> FirstMask:
    if method_scores.skipped_reason or not masks:
        return FirstMask(None, method_scores.skipped_reason)
    if not has_preference(method_scores):
        return FirstMask(None, NO_PREFERENCE)
    return FirstMask(masks[int(compute_ranks(method_scores.scores).argmin())])


def _make_outcome(
    benchmark: Benchmark,
    number: int,
    entry: Entry,
    method: str,
    answer: FirstMask,
    version: str,
    seconds: float,
) -> BenchmarkOutcome:
    intersection, union, iou = compute_overlap(entry.mask, answer)
    height, width = entry.size or (0, 0)
    no_mask = NO_PROPOSALS if entry.has_referent and answer.mask is None else ""
    return BenchmarkOutcome(
        dataset=benchmark.name,
        split_by=benchmark.split_by,
        split=entry.split,
        image=entry.image,
        sample=number,
        expression=entry.expression,
        method=method,
        has_referent=entry.has_referent,
        intersection_px=intersection,
        union_px=union,
        iou=iou,
        mask=rle.to_string(answer.mask) if answer.mask else "",
        height=height,
        width=width,
        reason=answer.failure or no_mask,
        model_version=version,
        seconds=seconds,
    )


def compute_overlap(referent: RLE | None, answer: FirstMask) -> tuple[int, int, float]:
    """Compute intersection and union in pixels, and IoU, of a first mask with the referent.

    Source: with a referent as in the papers on RefCOCO, where an empty union has IoU 0. Without a referent
    as in gRefCOCO (`refer_evaluation.py` of henghuiding/ReLA): no mask has IoU 1 and adds no pixels, a mask
    has IoU 0 and adds its area to the union. We differ in one point: a ranking that failed is never right.

    Args:
        referent: the mask of the referent; None if the image does not show it.
        answer: the first mask of a ranking.

    Returns:
        (intersection, union, IoU).
    """
    if referent is None:
        return 0, answer.mask.area_px if answer.mask else 0, float(answer.mask is None and not answer.failure)
    if answer.mask is None:
        return 0, referent.area_px, 0.0
    intersection = int(np.logical_and(rle.decode_rle(referent), rle.decode_rle(answer.mask)).sum())
    union = referent.area_px + answer.mask.area_px - intersection
    return intersection, union, intersection / union if union else 0.0

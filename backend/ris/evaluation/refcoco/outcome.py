"""What came of one expression of a benchmark with one ranking: its first mask against the referent."""

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
NO_PREFERENCE = "it says the same of every proposal"


@dataclass(frozen=True, slots=True)
class FirstMask:
    """The first mask of one ranking.

    Attributes:
        mask: None when there is none.
        failure: why the ranking could not answer; "" when it could, which may be with nothing.
    """

    mask: RLE | None
    failure: str = ""


@dataclass(frozen=True, slots=True)
class BenchmarkOutcome:
    """One expression with one ranking; a row of a benchmark's results.

    Attributes:
        dataset, split_by, split: where the expression is from.
        image: its name in the dataset.
        sample: place of the expression in the dataset, from 0; the same for all rankings.
        method: a method's name, or "fusion".
        has_referent: whether the dataset says that there is such a thing.
        intersection_px, union_px: of the first mask and the referent. A miss adds the referent's area to the
            union, and a mask for an expression without a referent its own.
        iou: intersection over union; 0 where the union is empty; 1 where nothing was offered for an
            expression without a referent.
        mask: the first mask as COCO's compressed text; "" when there is none.
        height, width: of the image, which `mask` needs to be read.
        reason: why there is no mask although there is a referent, or why nobody could look for one.
        model_version: of the pipeline.
        seconds: of the image, `see` and all its expressions, divided by these.
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
    """One image of one split with its expressions, each with its place in the dataset."""

    split: str
    image: str
    samples: tuple[tuple[int, Entry], ...]


def group_by_image(benchmark: Benchmark, splits: Sequence[str]) -> list[BenchmarkImage]:
    """The images of some splits of a benchmark, split by split, in the order of their first expressions."""
    found: dict[tuple[str, str], list[tuple[int, Entry]]] = {}
    for split in splits:
        for number, entry in enumerate(benchmark.entries):
            if entry.split == split:
                found.setdefault((split, entry.image), []).append((number, entry))
    return [BenchmarkImage(split, image, tuple(samples)) for (split, image), samples in found.items()]


def evaluate_image(
    benchmark: Benchmark,
    group: BenchmarkImage,
    pipeline: Pipeline,
    load: Callable[[str], Image],
    clock: Callable[[], float],
) -> list[BenchmarkOutcome]:
    """See one image once, rank all its expressions, and judge the first mask of each ranking.

    An image that cannot be had makes misses of its expressions, with the reason.

    Args:
        load: from an image's name to the image; raises an ImageError.
        clock: seconds, for what it costs.
    """
    began = clock()
    entries = [entry for _, entry in group.samples]
    try:
        answers = _rank_entries(pipeline, load(group.image), entries)
    except ImageError as error:
        rankings = [*(method.name for method in pipeline.methods), FUSION]
        answers = [{name: FirstMask(None, str(error)) for name in rankings}] * len(entries)
    seconds = (clock() - began) / len(entries)
    return [
        _make_outcome(benchmark, number, entry, method, answer, pipeline.version, seconds)
        for (number, entry), by_method in zip(group.samples, answers, strict=True)
        for method, answer in by_method.items()
    ]


def _rank_entries(pipeline: Pipeline, image: Image, entries: Sequence[Entry]) -> list[dict[str, FirstMask]]:
    for height, width in {entry.size for entry in entries if entry.size} - {image.size}:
        raise ImageUnreadable(
            f"the image is {image.size[0]} x {image.size[1]} pixels high and wide, "
            f"the dataset says {height} x {width}"
        )
    scene = pipeline.see(image)
    references = pipeline.refer_all(scene, [entry.expression for entry in entries])
    return [dict(find_first_masks(scene, reference)) for reference in references]


def find_first_masks(scene: Scene, reference: ReferResult) -> Iterator[tuple[str, FirstMask]]:
    """Every method's first mask and the fusion's, by the ranking's name.

    A method that says the same of all proposals has no say, as in `ris benchmark tinyworld`; the authors'
    programs would take the first proposal.
    """
    for opinion in reference.scores:
        yield opinion.method, _find_first_mask(scene, opinion)
    offered = reference.suggestions
    silent = "" if offered or not scene.masks else "no method had a say"
    yield FUSION, FirstMask(offered[0].mask if offered else None, silent)


def _find_first_mask(scene: Scene, opinion: MethodScores) -> FirstMask:
    if opinion.skipped_reason or not scene.masks:
        return FirstMask(None, opinion.skipped_reason)
    if not has_preference(opinion):
        return FirstMask(None, NO_PREFERENCE)
    return FirstMask(scene.masks[int(compute_ranks(opinion.scores).argmin())])


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
    nothing = NO_PROPOSALS if entry.has_referent and answer.mask is None else ""
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
        reason=answer.failure or nothing,
        model_version=version,
        seconds=seconds,
    )


def compute_overlap(referent: RLE | None, answer: FirstMask) -> tuple[int, int, float]:
    """Intersection and union in pixels, and IoU, of an answer with the referent, None for no such thing.

    Source: oIoU and mIoU as RefCOCO's papers count them, where an empty union is IoU 0; without a referent as
    gRefCOCO does (`refer_evaluation.py` of henghuiding/ReLA): nothing offered is IoU 1 and adds no pixels,
    a mask is IoU 0 and adds its area to the union. We differ in that who could not answer is never right.
    """
    if referent is None:
        return 0, answer.mask.area_px if answer.mask else 0, float(answer.mask is None and not answer.failure)
    if answer.mask is None:
        return 0, referent.area_px, 0.0
    intersection = int(np.logical_and(rle.decode_rle(referent), rle.decode_rle(answer.mask)).sum())
    union = referent.area_px + answer.mask.area_px - intersection
    return intersection, union, intersection / union if union else 0.0

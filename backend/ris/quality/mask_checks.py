"""Checks of masks: alone, and against the other masks of the same image."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from ris.core.masks import compute_iou_matrix
from ris.core.referents import SAME_REFERENT_IOU
from ris.core.rle import RLE
from ris.core.types import Verdict
from ris.quality.findings import FindingKind, TaskFinding
from ris.quality.words import make_words_key
from ris.store.checked import CheckedAnswer, CheckedTask

_SAME_MASK_IOU = 0.9  # two masks of one object, drawn twice
_SPECK_SHARE, _SPECK_PX = 0.0005, 25  # of the image's area, and in pixels: a mask below either is a speck
_WHOLE_SHARE = 0.95  # as `RankingSettings.ground_share`
_MASKS_PER_BLOCK = 500  # masks that are held together, unless one image has more

MaskLoader = Callable[[Sequence[int]], Sequence[RLE]]


@dataclass(frozen=True, slots=True)
class _Said:
    """One answer about an image: its mask, or None for no referent."""

    task: CheckedTask
    key: str
    mask: RLE | None


def check_masks(tasks: Sequence[CheckedTask], load_masks: MaskLoader) -> Iterator[TaskFinding]:
    """Check all masks, image by image: some hundred masks are held together.

    Args:
        tasks: in any order.
        load_masks: returns the masks of handles of answers.
    """
    block: list[list[CheckedTask]] = []
    count = 0
    for _, one in groupby(sorted(tasks, key=lambda task: task.image), key=lambda task: task.image):
        block.append(list(one))
        count += sum(answer.has_mask for task in block[-1] for answer in task.answers)
        if count >= _MASKS_PER_BLOCK:
            yield from _check_block(block, load_masks)
            block, count = [], 0
    yield from _check_block(block, load_masks)


def _check_block(images: Sequence[Sequence[CheckedTask]], load_masks: MaskLoader) -> Iterator[TaskFinding]:
    handles = [a.handle for tasks in images for task in tasks for a in task.answers if a.has_mask]
    masks = dict(zip(handles, load_masks(handles), strict=True))
    for tasks in images:
        said = []
        for task in tasks:
            for answer in task.answers:
                mask = masks.get(answer.handle)
                if mask is not None:
                    yield from _check_mask(task, answer, mask)
                if answer.has_mask or answer.verdict is Verdict.NO_REFERENT:
                    said.append(_Said(task, make_words_key(task.task.expression), mask))
        yield from _compare(said)


def _check_mask(task: CheckedTask, answer: CheckedAnswer, mask: RLE) -> Iterator[TaskFinding]:
    """Check one mask by its area and size."""
    area, whole = mask.area_px, mask.size[0] * mask.size[1]
    evidence = {"annotator": str(answer.annotator or ""), "area_px": area, "share": round(area / whole, 6)}
    if task.size is not None and mask.size != task.size:
        height, width = task.size
        sentence = (
            f"the mask is for an image of {mask.size[1]} x {mask.size[0]} pixels and the image has "
            f"{width} x {height}: it does not lie where it was drawn"
        )
        yield TaskFinding(FindingKind.OTHER_SIZE, sentence, (task,), evidence)
    if not area:
        yield TaskFinding(
            FindingKind.EMPTY_MASK,
            "the mask has no pixel: draw it, or say that there is no referent",
            (task,),
            evidence,
        )
    elif area < max(_SPECK_SHARE * whole, min(_SPECK_PX, whole // 100)):
        sentence = f"the mask has {area} pixels, {area / whole:.2%} of the image: a click by mistake?"
        yield TaskFinding(FindingKind.SPECK, sentence, (task,), evidence)
    elif area > _WHOLE_SHARE * whole:
        sentence = f"the mask covers {area / whole:.0%} of the image: is the background meant?"
        yield TaskFinding(FindingKind.WHOLE_IMAGE, sentence, (task,), evidence)


def _compare(said: Sequence[_Said]) -> Iterator[TaskFinding]:
    """Compare the answers about one image; each pair of tasks is reported once."""
    if len(said) < 2:
        return
    shown = [one for one in said if one.mask is not None and one.mask.area_px]
    reported: set[tuple[FindingKind, str, str]] = set()
    for size in sorted({one.mask.size for one in shown if one.mask is not None}):
        same = [one for one in shown if one.mask is not None and one.mask.size == size]
        ious = compute_iou_matrix([m.mask for m in same if m.mask], [m.mask for m in same if m.mask])
        by_key: dict[str, list[int]] = {}
        for i, one in enumerate(same):
            by_key.setdefault(one.key, []).append(i)
        for members in by_key.values():
            for place, i in enumerate(members):
                for j in members[:place]:
                    if same[i].task is not same[j].task and ious[i, j] < SAME_REFERENT_IOU:
                        yield from _report(
                            FindingKind.CONTRADICTION, same[i], same[j], float(ious[i, j]), reported
                        )
        for i, j in zip(*np.nonzero(np.tril(ious >= _SAME_MASK_IOU, -1)), strict=True):
            if same[i].key != same[j].key:
                yield from _report(FindingKind.SAME_MASK, same[i], same[j], float(ious[i, j]), reported)
    masks_by_key: dict[str, _Said] = {}
    for one in shown:
        masks_by_key.setdefault(one.key, one)
    for one in said:
        if one.mask is None and (other := masks_by_key.get(one.key)) is not None:
            yield from _report(FindingKind.DISPUTED_REFERENT, one, other, 0.0, reported)


_SENTENCES = {
    FindingKind.CONTRADICTION: "{words!r:.80} has another mask in {other} of the same image (IoU {iou:.2f}): "
    "one of both is wrong, or the words mean several objects",
    FindingKind.SAME_MASK: "{words!r:.60} and {others!r:.60} ({other}) have the same mask (IoU {iou:.2f})",
    FindingKind.DISPUTED_REFERENT: "an answer says that there is no {words!r:.80}, and {other} has a mask "
    "for these words on the same image: one of both is wrong",
}


def _report(
    kind: FindingKind, one: _Said, other: _Said, iou: float, reported: set[tuple[FindingKind, str, str]]
) -> Iterator[TaskFinding]:
    pair = kind, one.task.name, other.task.name
    if pair in reported:
        return
    reported.add(pair)
    sentence = _SENTENCES[kind].format(
        words=one.task.task.expression, others=other.task.task.expression, other=other.task.name, iou=iou
    )
    evidence = {"other": other.task.task.expression, "iou": round(iou, 4)}
    tasks = (one.task,) if one.task is other.task else (one.task, other.task)
    yield TaskFinding(kind, sentence, tasks, evidence)

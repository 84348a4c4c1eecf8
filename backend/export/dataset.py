"""From decisions to samples of a dataset: which answer counts, and which split its image is in."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from backend.core.decision import Decision
from backend.core.masks import iou_matrix
from backend.core.rle import RLE
from backend.core.types import Size, Verdict
from backend.errors import InputError

Resolve = Literal["latest", "majority", "all"]
AGREE = 0.5  # IoU of two annotators who mean the same thing
TRAIN = "train"
EXTENSIONS = frozenset({"jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff", "gif"})


@dataclass(frozen=True, slots=True)
class Sample:
    """One expression of one image with the answer that counts.

    Attributes:
        mask: the referent; None when there is no such thing in the image.
        size: (height, width) of the image as displayed.
        split: "train", "val", "test"; all samples of an image have the same.
        decision: where it comes from.
    """

    mask: RLE | None
    size: Size
    split: str
    decision: Decision

    @property
    def expression(self) -> str:
        return self.decision.correction.annotation.task.expression

    @property
    def image_url(self) -> str:
        return self.decision.correction.annotation.task.image_url

    @property
    def image_key(self) -> str:
        """What makes two images one: their bytes where those are known, else where they come from."""
        return image_key(self.decision)

    @property
    def file_name(self) -> str:
        """A plain name for the image's file: its own, and enough of its key to tell two of one name apart."""
        name = self.image_url.split("?")[0].rsplit("/", 1)[-1]
        stem, dot, extension = name.rpartition(".")
        stem = stem if dot and not self.image_url.startswith("data:") else "image"
        plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in stem[:60])
        known = extension.lower() if extension.lower() in EXTENSIONS else "png"
        return f"{plain or 'image'}-{hashlib.sha256(self.image_key.encode()).hexdigest()[:8]}.{known}"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A decision that is not in an export, and the sentence that says why."""

    decision: Decision
    reason: str


def samples(
    decisions: Sequence[Decision],
    *,
    resolve: Resolve = "latest",
    verdicts: Sequence[Verdict] = (),
    shares: Mapping[str, float] | None = None,
    seed: int = 0,
) -> tuple[list[Sample], list[LeftOut]]:
    """The samples of a dataset, and every decision that is none, with its reason.

    Args:
        decisions: current ones, in the order of `store.history`.
        resolve: of several annotators' answers to one task "latest" takes the newest, "majority" the
            newest of the largest group that agrees (IoU of at least 0.5, or both without a referent), and
            "all" keeps each.
        verdicts: only these; all that say something about the mask when empty.
        shares: by split its share of the images; the rest is "train".
        seed: of the split. The same image lands in the same split whatever else is exported.

    Raises:
        InputError: the shares are no shares.
    """
    shares = dict(shares or {})
    if any(share < 0 for share in shares.values()) or sum(shares.values()) > 1 + 1e-9:
        raise InputError(f"the shares of the splits must be at least 0 and at most 1 in all, got {shares}")
    left_out: list[LeftOut] = []
    usable: list[Decision] = []
    for decision in decisions:
        reason = _unusable(decision, verdicts)
        if reason:
            left_out.append(LeftOut(decision, reason))
        else:
            usable.append(decision)
    kept: list[Sample] = []
    for group in _by_task(usable):
        chosen = group if resolve == "all" else [_resolved(group, resolve)]
        kept += [_sample(decision, shares, seed) for decision in chosen]
        left_out += [
            LeftOut(d, f"another answer to the same task counts ({resolve})")
            for d in group
            if d not in chosen
        ]
    return kept, left_out


def _unusable(decision: Decision, verdicts: Sequence[Verdict]) -> str:
    verdict = decision.correction.verdict
    if verdict is Verdict.SKIPPED:
        return "it was skipped"
    if verdicts and verdict not in verdicts:
        return f"its verdict is {verdict.value}"
    if _size(decision) is None:
        return "the size of its image is not known: the image was never seen here"
    return ""


def _size(decision: Decision) -> Size | None:
    mask = decision.correction.annotation.mask if decision.correction.verdict.has_mask else None
    return mask.size if mask else decision.image_size


def _by_task(decisions: Sequence[Decision]) -> list[list[Decision]]:
    groups: dict[tuple[str, int, str, str], list[Decision]] = {}
    for decision in decisions:
        task = decision.correction.annotation.task
        groups.setdefault((task.project, task.task_id, task.image_url, task.expression), []).append(decision)
    return list(groups.values())


def _resolved(group: Sequence[Decision], resolve: Resolve) -> Decision:
    newest = sorted(group, key=lambda d: d.correction.annotation.updated_at, reverse=True)
    if resolve == "latest":
        return newest[0]
    return max(newest, key=lambda d: sum(_agree(d, other) for other in newest))


def _agree(one: Decision, two: Decision) -> bool:
    masks = [d.correction.annotation.mask if d.correction.verdict.has_mask else None for d in (one, two)]
    if masks[0] is None or masks[1] is None:
        return masks[0] is masks[1]
    return masks[0].size == masks[1].size and bool(iou_matrix([masks[0]], [masks[1]])[0, 0] >= AGREE)


def _sample(decision: Decision, shares: Mapping[str, float], seed: int) -> Sample:
    correction = decision.correction
    size = _size(decision)
    assert size is not None
    mask = correction.annotation.mask if correction.verdict.has_mask else None
    return Sample(mask, size, split_of(image_key(decision), shares, seed), decision)


def image_key(decision: Decision) -> str:
    task = decision.correction.annotation.task
    return decision.image_digest or f"{task.project} {task.image_url}"


def split_of(key: str, shares: Mapping[str, float], seed: int) -> str:
    """Which split an image is in, from its own key and the seed alone: no other image can move it."""
    place = int(hashlib.sha256(f"{seed} {key}".encode()).hexdigest()[:13], 16) / 16**13
    for name, share in shares.items():
        if place < share:
            return name
        place -= share
    return TRAIN


def image_ids(samples: Sequence[Sample]) -> dict[str, int]:
    """A number for each image by its key, in order of first appearance, from 1."""
    return {key: i for i, key in enumerate(dict.fromkeys(s.image_key for s in samples), 1)}

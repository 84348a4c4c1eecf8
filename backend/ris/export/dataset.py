"""From decisions to samples of a dataset: which answer counts, and which split its image is in."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ris.core.decision import Decision
from ris.core.masks import compute_iou_matrix
from ris.core.rle import RLE
from ris.core.types import Size, Verdict
from ris.errors import InputError
from ris.export.imagefile import ImageFile, find_image_files

UnseenReasons = Mapping[tuple[str, str], str]
"""By project and image reference, why the image could not be seen."""

AnswerRule = Literal["latest", "majority", "all"]
AGREEMENT_IOU = 0.5  # IoU of two annotators who mean the same thing
_DEFAULT_SPLIT = "train"
SPLIT_NAME = re.compile(r"[A-Za-z0-9_]+")
_UNSEEN_REASON = "its image was never seen here"


@dataclass(frozen=True, slots=True)
class DatasetSample:
    """One expression of one image with the answer that counts.

    Attributes:
        mask: the referent; None when there is no such thing in the image.
        size: (height, width) of the image as displayed.
        split: "train", "val", "test"; all samples of an image have the same.
        decision: where it comes from.
        file: the image's.
    """

    mask: RLE | None
    size: Size
    split: str
    decision: Decision
    file: ImageFile

    @property
    def expression(self) -> str:
        return self.decision.correction.annotation.task.expression

    @property
    def image_url(self) -> str:
        return self.decision.correction.annotation.task.image_url

    @property
    def image_key(self) -> str:
        """What makes two images one: their bytes."""
        return self.file.digest

    @property
    def file_name(self) -> str:
        """Of the image's file, the same in every format."""
        return self.file.name


@dataclass(frozen=True, slots=True)
class Omission:
    """A decision that is not in an export, and the sentence that says why."""

    decision: Decision
    reason: str


def make_dataset_samples(
    decisions: Sequence[Decision],
    *,
    resolve: AnswerRule = "latest",
    verdicts: Sequence[Verdict] = (),
    shares: Mapping[str, float] | None = None,
    seed: int = 0,
    files: Mapping[str, ImageFile] | None = None,
    unseen: UnseenReasons | None = None,
) -> tuple[list[DatasetSample], list[Omission]]:
    """The samples of a dataset, and every decision that is none, with its reason.

    Args:
        decisions: current ones, in the order of `store.history`.
        resolve: of several annotators' answers to one task "latest" takes the newest, "majority" the
            newest of the largest group that agrees (IoU of at least 0.5, or both without a referent), and
            "all" keeps each.
        verdicts: only these; all that say something about the mask when empty.
        shares: by split its share of the images; the rest is "train".
        seed: of the split. The same image lands in the same split whatever else is exported.
        files: the images' by digest; found in the decisions when None.
        unseen: why images could not be seen, for the reasons.

    Raises:
        InputError: the shares are no shares.
    """
    shares = _check_shares(shares or {})
    files = find_image_files(decisions) if files is None else files
    omissions: list[Omission] = []
    usable: list[Decision] = []
    for decision in decisions:
        reason = _find_problem(decision, verdicts, unseen or {})
        if reason:
            omissions.append(Omission(decision, reason))
        else:
            usable.append(decision)
    kept: list[DatasetSample] = []
    for group in _group_by_task(usable):
        chosen = group if resolve == "all" else [_pick_answer(group, resolve)]
        kept += [_make_sample(decision, shares, seed, files) for decision in chosen]
        omissions += [
            Omission(d, f"another answer to the same task counts ({resolve})")
            for d in group
            if not any(d is one for one in chosen)
        ]
    return kept, omissions


def _check_shares(shares: Mapping[str, float]) -> Mapping[str, float]:
    """The shares, when they are some.

    Raises:
        InputError: one is none, they are more than all, or a name cannot be one of a file and of a split.
    """
    if not all(0 <= share <= 1 for share in shares.values()) or sum(shares.values()) > 1 + 1e-9:
        raise InputError(f"the shares of the splits must be at least 0 and at most 1 in all, got {shares}")
    odd = [name for name in shares if not SPLIT_NAME.fullmatch(name)]
    if odd:
        raise InputError(f"a split's name must be of letters, digits and _, such as val; got {odd[0]!r:.60}")
    return shares


def _find_problem(decision: Decision, verdicts: Sequence[Verdict], unseen: UnseenReasons) -> str:
    verdict = decision.correction.verdict
    if verdict is Verdict.SKIPPED:
        return "it was skipped"
    if verdicts and verdict not in verdicts:
        return f"its verdict is {verdict.value}"
    return find_image_problem(decision, unseen)


def find_image_problem(decision: Decision, unseen: UnseenReasons) -> str:
    """Why nobody can say which image a decision is about; "" when that is known.

    One image is one by its bytes. Where these were never seen two addresses may be one image, and would be
    in two splits; and a mask of another size than the image's was drawn on something else.
    """
    task = decision.correction.annotation.task
    if decision.image_digest is None or decision.image_size is None:
        reason = unseen.get((task.project, task.image_url), "")
        return f"{_UNSEEN_REASON}: {reason}" if reason else _UNSEEN_REASON
    mask = get_mask(decision)
    if mask is not None and mask.size != decision.image_size:
        theirs, ours = decision.image_size, mask.size
        return f"its mask is {ours[1]} x {ours[0]}, its image {theirs[1]} x {theirs[0]}"
    return ""


def get_mask(decision: Decision) -> RLE | None:
    """The mask that was meant; None where none was."""
    return decision.correction.annotation.mask if decision.correction.verdict.has_mask else None


def _group_by_task(decisions: Sequence[Decision]) -> list[list[Decision]]:
    groups: dict[tuple[str, int, str, str], list[Decision]] = {}
    for decision in decisions:
        task = decision.correction.annotation.task
        groups.setdefault((task.project, task.task_id, task.image_url, task.expression), []).append(decision)
    return list(groups.values())


def _pick_answer(group: Sequence[Decision], resolve: AnswerRule) -> Decision:
    newest = sorted(group, key=lambda d: d.correction.annotation.updated_at, reverse=True)
    if resolve == "latest":
        return newest[0]
    return max(newest, key=lambda d: sum(_is_same_answer(d, other) for other in newest))


def _is_same_answer(one: Decision, two: Decision) -> bool:
    masks = [get_mask(d) for d in (one, two)]
    if masks[0] is None or masks[1] is None:
        return masks[0] is masks[1]
    return masks[0].size == masks[1].size and bool(
        compute_iou_matrix([masks[0]], [masks[1]])[0, 0] >= AGREEMENT_IOU
    )


def _make_sample(
    decision: Decision, shares: Mapping[str, float], seed: int, files: Mapping[str, ImageFile]
) -> DatasetSample:
    assert decision.image_digest is not None and decision.image_size is not None
    file = files[decision.image_digest]
    split = assign_split(file.digest, shares, seed)
    return DatasetSample(get_mask(decision), decision.image_size, split, decision, file)


def assign_split(key: str, shares: Mapping[str, float], seed: int) -> str:
    """Which split an image is in, from its own key and the seed alone: no other image can move it."""
    place = int(hashlib.sha256(f"{seed} {key}".encode()).hexdigest()[:13], 16) / 16**13
    for name, share in shares.items():
        if place < share:
            return name
        place -= share
    return _DEFAULT_SPLIT


def number_images(samples: Sequence[DatasetSample]) -> dict[str, int]:
    """A number for each image by its key, in order of first appearance, from 1."""
    return {key: i for i, key in enumerate(dict.fromkeys(s.image_key for s in samples), 1)}

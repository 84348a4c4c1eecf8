"""Turn decisions into samples of a dataset: choose an answer for each task and a split for each image."""

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
from ris.redaction.text import redact_text

UnseenReasons = Mapping[tuple[str, str], str]
"""By project and image URL, why the image could not be fetched."""

AnswerRule = Literal["latest", "majority", "all"]
AGREEMENT_IOU = 0.5  # masks with at least this IoU count as the same answer
_DEFAULT_SPLIT = "train"
SPLIT_NAME = re.compile(r"[A-Za-z0-9_]+")
_UNSEEN_REASON = "its image was never seen here"


@dataclass(frozen=True, slots=True)
class DatasetSample:
    """One expression of one image with its chosen answer.

    Attributes:
        mask: mask of the referent; None if the image does not show it.
        size: (height, width) of the image after its EXIF orientation is applied.
        split: name of the split, such as "train"; all samples of an image are in one split.
        decision: the decision behind the sample.
        file: the image file.
    """

    mask: RLE | None
    size: Size
    split: str
    decision: Decision
    file: ImageFile

    @property
    def expression(self) -> str:
        """The expression of the task."""
        return self.decision.correction.annotation.task.expression

    @property
    def image_url(self) -> str:
        """The image URL of the task, without the signature of a presigned one: datasets are given away."""
        return redact_text(self.decision.correction.annotation.task.image_url)

    @property
    def image_key(self) -> str:
        """Key of the image, its digest: files with the same bytes are one image."""
        return self.file.digest

    @property
    def file_name(self) -> str:
        """Name of the image file, the same in every format."""
        return self.file.name


@dataclass(frozen=True, slots=True)
class Omission:
    """A decision that is not in an export, with the reason."""

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
    """Make the samples of a dataset.

    Args:
        decisions: current decisions, in the order of `store.history`.
        resolve: which answer counts if several annotators answered a task. "latest" takes the newest.
            "majority" takes the newest answer with which most answers agree (IoU of at least
            `AGREEMENT_IOU`, or both without a referent). "all" keeps every answer.
        verdicts: only decisions with these verdicts; if empty, all but skipped tasks.
        shares: share of the images by split, in [0, 1]; the rest is "train".
        seed: seed of the split. The split of an image depends on its bytes and the seed alone.
        files: image files by digest; None collects them from the decisions.
        unseen: why images could not be fetched, for the reasons of omissions.

    Returns:
        The samples, and all other decisions with reasons.

    Raises:
        InputError: the shares or a split's name are not valid.
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
    samples: list[DatasetSample] = []
    for group in _group_by_task(usable):
        chosen = group if resolve == "all" else [_pick_answer(group, resolve)]
        samples += [_make_sample(decision, shares, seed, files) for decision in chosen]
        omissions += [
            Omission(d, f"another answer to the same task counts ({resolve})")
            for d in group
            if not any(d is one for one in chosen)
        ]
    return samples, omissions


def _check_shares(shares: Mapping[str, float]) -> Mapping[str, float]:
    """Return the shares if they are valid.

    Raises:
        InputError: a share is not in [0, 1], their sum is above 1, or a name has other characters than
            letters, digits and _.
    """
    if not all(0 <= share <= 1 for share in shares.values()) or sum(shares.values()) > 1 + 1e-9:
        raise InputError(f"the shares of the splits must be at least 0 and at most 1 in total, got {shares}")
    invalid = [name for name in shares if not SPLIT_NAME.fullmatch(name)]
    if invalid:
        raise InputError(
            f"the name of a split must have only letters, digits and _, such as val; got {invalid[0]!r:.60}"
        )
    return shares


def _find_problem(decision: Decision, verdicts: Sequence[Verdict], unseen: UnseenReasons) -> str:
    verdict = decision.correction.verdict
    if verdict is Verdict.SKIPPED:
        return "it was skipped"
    if verdicts and verdict not in verdicts:
        return f"its verdict is {verdict.value}"
    return find_image_problem(decision, unseen)


def find_image_problem(decision: Decision, unseen: UnseenReasons) -> str:
    """Return why a decision's image is unknown or does not fit its mask; "" if all is well.

    Images are identified by their bytes. Without these, two URLs of one image could land in two splits. A
    mask of another size than the image was drawn on another image.

    Args:
        decision: the decision.
        unseen: why images could not be fetched.
    """
    task = decision.correction.annotation.task
    if decision.image_digest is None or decision.image_size is None:
        reason = unseen.get((task.project, task.image_url), "")
        return f"{_UNSEEN_REASON}: {reason}" if reason else _UNSEEN_REASON
    mask = get_mask(decision)
    if mask is not None and mask.size != decision.image_size:
        (height, width), (mask_height, mask_width) = decision.image_size, mask.size
        return f"its mask is {mask_width} x {mask_height}, its image {width} x {height}"
    return ""


def get_mask(decision: Decision) -> RLE | None:
    """Return the final mask; None if the verdict has none."""
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
    """Choose the split of an image from its key and the seed; other images do not matter."""
    position = int(hashlib.sha256(f"{seed} {key}".encode()).hexdigest()[:13], 16) / 16**13
    for name, share in shares.items():
        if position < share:
            return name
        position -= share
    return _DEFAULT_SPLIT


def number_images(samples: Sequence[DatasetSample]) -> dict[str, int]:
    """Assign numbers to the images by key, from 1, in order of first appearance."""
    return {key: i for i, key in enumerate(dict.fromkeys(s.image_key for s in samples), 1)}

"""The samples of a dataset, and the rules for their images, their answers and their splits."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ris.core.decision import Decision
from ris.core.masks import compute_iou_matrix
from ris.core.rle import RLE
from ris.core.types import Size, Task, Verdict
from ris.errors import InputError
from ris.export.imagefile import ImageFile
from ris.redaction.text import redact_text

UnseenReasons = Callable[[Task], str]
"""Returns why the image of a task could not be fetched; "" if nobody tried, or if it was."""

AnswerRule = Literal["latest", "majority", "consensus", "consensus-staple", "adjudicated", "all"]
AGREEMENT_IOU = 0.5  # masks with at least this IoU count as the same answer
DEFAULT_SPLIT = "train"
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


def check_shares(shares: Mapping[str, float]) -> Mapping[str, float]:
    """Return the shares of the splits if they are valid.

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


def find_verdict_problem(verdict: Verdict, verdicts: Sequence[Verdict]) -> str:
    """Return why answers of a verdict give no sample; "" if they do.

    Args:
        verdict: the verdict.
        verdicts: the chosen ones; if empty, all but skipped tasks.
    """
    if verdict is Verdict.SKIPPED:
        return "it was skipped"
    return f"its verdict is {verdict.value}" if verdicts and verdict not in verdicts else ""


def find_image_problem(
    task: Task, image_size: Size | None, mask_size: Size | None, unseen: UnseenReasons
) -> str:
    """Return why an answer's image is unknown or does not fit its mask; "" if all is well.

    Images are identified by their bytes. Without these, two URLs of one image could land in two splits. A
    mask of another size than the image was drawn on another image.

    Args:
        task: of the answer.
        image_size: (height, width) of the image; None if it is unknown.
        mask_size: (height, width) of the final mask; None without one.
        unseen: why images could not be fetched.
    """
    if image_size is None:
        reason = unseen(task)
        return f"{_UNSEEN_REASON}: {reason}" if reason else _UNSEEN_REASON
    if mask_size is not None and mask_size != image_size:
        (height, width), (mask_height, mask_width) = image_size, mask_size
        return f"its mask is {mask_width} x {mask_height}, its image {width} x {height}"
    return ""


def find_decision_problem(decision: Decision, unseen: UnseenReasons) -> str:
    """Return `find_image_problem` of a decision."""
    mask = get_mask(decision)
    return find_image_problem(
        decision.correction.annotation.task, decision.image_size, mask.size if mask else None, unseen
    )


def get_mask(decision: Decision) -> RLE | None:
    """Return the final mask; None if the verdict has none."""
    return decision.correction.annotation.mask if decision.correction.verdict.has_mask else None


def find_majority(newest: Sequence[Decision]) -> int:
    """Return the place of the newest answer with which most answers to a task agree.

    Args:
        newest: the answers to one task, newest first.
    """
    return max(range(len(newest)), key=lambda i: sum(_is_same_answer(newest[i], other) for other in newest))


def _is_same_answer(one: Decision, two: Decision) -> bool:
    masks = [get_mask(d) for d in (one, two)]
    if masks[0] is None or masks[1] is None:
        return masks[0] is masks[1]
    return masks[0].size == masks[1].size and bool(
        compute_iou_matrix([masks[0]], [masks[1]])[0, 0] >= AGREEMENT_IOU
    )


def make_sample(decision: Decision, file: ImageFile, shares: Mapping[str, float], seed: int) -> DatasetSample:
    """Make the sample of a decision whose image is known."""
    assert decision.image_size is not None
    split = assign_split(file.digest, shares, seed)
    return DatasetSample(get_mask(decision), decision.image_size, split, decision, file)


def assign_split(key: str, shares: Mapping[str, float], seed: int) -> str:
    """Choose the split of an image from its key and the seed; other images do not matter."""
    position = int(hashlib.sha256(f"{seed} {key}".encode()).hexdigest()[:13], 16) / 16**13
    for name, share in shares.items():
        if position < share:
            return name
        position -= share
    return DEFAULT_SPLIT

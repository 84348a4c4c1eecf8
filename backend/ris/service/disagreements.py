"""Find the tasks on which people disagree, and the different masks that they answered."""

import hashlib
import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ris.core import rle
from ris.core.referents import compute_answer_ious, number_referents
from ris.core.types import Task, Verdict
from ris.store.answer_groups import AnswerGroup, PersonAnswer


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A task of which people mean different things.

    Attributes:
        task: the task.
        distance: mean distance of two of their answers, in [0, 1]: 1 - IoU of two masks; 0 for two answers
            that there is no referent, 1 for one of these and a mask.
        answers: of each different mask, the ids in SQL of the answers with it; the most frequent mask first.
        digest: SHA-256 of the different masks; another one if an answer was changed.
    """

    task: Task
    distance: float
    answers: tuple[tuple[int, ...], ...]
    digest: str


def find_disagreements(groups: Iterable[AnswerGroup]) -> Iterator[Disagreement]:
    """Yield the tasks on which people disagree; groups are read once and not kept.

    Two people agree if their masks overlap by an IoU of at least 0.5, directly or through those of others, or
    if both say that there is no referent. Skipped answers say nothing.
    """
    for group in groups:
        said = [one for one in group.answers if one.verdict is not Verdict.SKIPPED]
        masks = [one.mask for one in said]
        ious = compute_answer_ious(masks)
        if len(set(number_referents(masks, ious))) > 1:
            answers, digest = _group_by_mask(said)
            pairs = [
                float(masks[i] is not masks[j]) if masks[i] is None or masks[j] is None else 1 - ious[i, j]
                for i, j in combinations(range(len(said)), 2)
            ]
            yield Disagreement(group.task, float(np.mean(pairs)), answers, digest)


def _group_by_mask(said: Sequence[PersonAnswer]) -> tuple[tuple[tuple[int, ...], ...], str]:
    """Group the answers with a mask by their masks, which nothing but masks puts in order."""
    by_mask: dict[str, list[int]] = {}
    for one in said:
        if one.mask is not None:
            text = f"{one.mask.size} {rle.to_string(one.mask)}"
            by_mask.setdefault(hashlib.sha256(text.encode()).hexdigest(), []).append(one.row_id)
    ordered = sorted(by_mask.items(), key=lambda item: (-len(item[1]), item[0]))
    digest = hashlib.sha256(" ".join(name for name, _ in ordered).encode()).hexdigest()
    return tuple(tuple(rows) for _, rows in ordered), digest


def select_worst(disagreements: Iterable[Disagreement], most: int) -> list[Disagreement]:
    """Return the tasks on which people disagree most, the worst first; only so many are held."""
    return heapq.nsmallest(most, disagreements, key=lambda one: (-one.distance, one.task.task_id))

"""Estimate how often each person means the right referent, without knowing it.

The model: of a task, one referent is right. Each person means it with a probability of their own, the skill,
and otherwise one of M wrong referents, each as often. So two people who agree are probably both right, and
more so the more wrong referents there are. This is the model of Dawid and Skene (1979) with one parameter for
each person, for answers whose names differ from task to task. Skills and M have the highest likelihood.

It cannot see a mistake that everybody makes: an expression that all read alike and wrongly counts as right.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import brentq
from scipy.special import gammaln

from ris.core.shares import Share

_WRONG_REFERENTS = (1, 2, 3, 4, 6, 8, 12, 16, 32, 64)  # numbers of wrong referents that are tried
_MAX_ROUNDS = 500
_ENOUGH = 1e-6
_START = 0.8
_LEAST = 1e-9
_LEVEL = 0.95
_PLAUSIBLE = 1.92  # by so much the log-likelihood of M may be lower than the best: an interval of 95 % for M
_PRIOR = 0.5  # right and wrong answers that each person is taken to have beside their own (Jeffreys)

Partition = tuple[tuple[int, int], ...]
"""The answers to one task: (person, referent), both as numbers; equal referents are the same mask."""


@dataclass(frozen=True, slots=True, eq=False)
class _Hypotheses:
    """Every way in which the answers of each pattern can be right and wrong.

    Attributes:
        pattern: int64 [H], the pattern of each hypothesis.
        right, wrong: [H, people], 1 where a person is right, or wrong.
        n_wrong, n_blocks: int64 [H], wrong answers, and different referents among them.
    """

    pattern: NDArray[np.int64]
    right: sparse.csr_array
    wrong: sparse.csr_array
    n_wrong: NDArray[np.int64]
    n_blocks: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """The skills, float64 [people], the weights of the hypotheses in their patterns, the log-likelihood."""

    skills: NDArray[np.float64]
    weights: NDArray[np.float64]
    likelihood: float


def estimate_skills(
    partitions: Sequence[Partition], groups: Sequence[int], *, n_people: int
) -> dict[int, Share]:
    """Estimate the skill of each person: the share of their answers that mean the right referent.

    Skills can be told apart only among people who share tasks with each other, at least three of them; the
    others are left out.

    Args:
        partitions: of N tasks, the answers without skipped ones.
        groups: [N], the number of the image of each task: answers about one image are not independent.
        n_people: people are numbered from 0.

    Returns:
        By person: the skill, with an interval. The intervals hold for all people together in 95 of 100 cases,
        because people are compared with each other: each alone is wider than one of 95 %.
    """
    known = _find_comparable(partitions)
    kept = [
        (tuple(one for one in partition if one[0] in known), group)
        for partition, group in zip(partitions, groups, strict=True)
    ]
    kept = [(partition, group) for partition, group in kept if len(partition) > 1]
    if not kept:
        return {}
    patterns = sorted({_rename(partition) for partition, _ in kept})
    number = {pattern: i for i, pattern in enumerate(patterns)}
    found = np.array([number[_rename(partition)] for partition, _ in kept])
    n_tasks = np.bincount(found, minlength=len(patterns)).astype(np.float64)
    hypotheses = _list_hypotheses(patterns, n_people)
    n_answers = Counter(person for partition, _ in kept for person, _ in partition)
    totals = np.array([n_answers[person] for person in range(n_people)], np.float64)
    fits = [_fit(hypotheses, n_tasks, totals, m) for m in _WRONG_REFERENTS]
    best = max(fit.likelihood for fit in fits)
    z = NormalDist().inv_cdf(1 - (1 - _LEVEL) / (2 * len(known)))
    images = np.array([group for _, group in kept])
    found_in = [
        _find_intervals(hypotheses, fit, found, images, sorted(known), z)
        for fit in fits
        if fit.likelihood > best - _PLAUSIBLE
    ]
    skills = next(fit.skills for fit in fits if fit.likelihood == best)
    lows, highs = np.min(found_in, axis=0)[0], np.max(found_in, axis=0)[1]
    return {
        person: Share(float(skills[person]), float(low), float(high), n_answers[person])
        for person, low, high in zip(sorted(known), lows, highs, strict=True)
    }


def _find_comparable(partitions: Sequence[Partition]) -> set[int]:
    """Return the people who share tasks with two others who share tasks with each other."""
    pairs = {pair for one in partitions for pair in combinations(sorted({person for person, _ in one}), 2)}
    beside: dict[int, set[int]] = {}
    for one, two in pairs:
        beside.setdefault(one, set()).add(two)
        beside.setdefault(two, set()).add(one)
    return {person for one, two in pairs for person in ({one, two} if beside[one] & beside[two] else ())}


def _rename(partition: Partition) -> Partition:
    """Return the partition with its referents numbered in the order of the people."""
    names: dict[int, int] = {}
    return tuple((person, names.setdefault(referent, len(names))) for person, referent in sorted(partition))


def _list_hypotheses(patterns: Sequence[Partition], n_people: int) -> _Hypotheses:
    pattern: list[int] = []
    n_wrong: list[int] = []
    n_blocks: list[int] = []
    right: tuple[list[int], list[int]] = [], []
    wrong: tuple[list[int], list[int]] = [], []
    for number, answers in enumerate(patterns):
        referents = {referent for _, referent in answers}
        for truth in (*referents, None):  # None: nobody is right
            for person, referent in answers:
                rows, columns = right if referent == truth else wrong
                rows.append(len(pattern))
                columns.append(person)
            pattern.append(number)
            n_wrong.append(sum(referent != truth for _, referent in answers))
            n_blocks.append(len(referents - {truth}))
    shape = len(pattern), n_people
    is_right, is_wrong = (
        sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)
        for rows, columns in (right, wrong)
    )
    return _Hypotheses(np.array(pattern), is_right, is_wrong, np.array(n_wrong), np.array(n_blocks))


def _fit(hypotheses: _Hypotheses, n_tasks: NDArray[np.float64], totals: NDArray[np.float64], m: int) -> _Fit:
    """Fit the skills, with M wrong referents."""
    chance = _weigh_collisions(hypotheses, m)
    skills: NDArray[np.float64] = np.full(len(totals), _START)
    weights: NDArray[np.float64] = np.zeros(len(chance))
    likelihood = -np.inf
    for _ in range(_MAX_ROUNDS):
        scores = hypotheses.right @ np.log(skills) + hypotheses.wrong @ np.log1p(-skills) + chance
        weights, log_sums = _normalise(scores, hypotheses.pattern, len(n_tasks))
        prior = _PRIOR * float((np.log(skills) + np.log1p(-skills)).sum())
        likelihood = float(log_sums @ n_tasks) + prior
        n_right = hypotheses.right.T @ (weights * n_tasks[hypotheses.pattern])
        new = (n_right + _PRIOR) / (totals + 2 * _PRIOR)
        has_settled = np.abs(new - skills).max() < _ENOUGH
        skills = new
        if has_settled:
            break
    return _Fit(skills, weights, likelihood)


def _weigh_collisions(hypotheses: _Hypotheses, m: int) -> NDArray[np.float64]:
    """Return the log-probability that the wrong answers agree and differ as they do, float64 [H].

    That w answers, each one of M referents, form b blocks in a given way: M (M - 1) ... (M - b + 1) / M^w.
    """
    possible = hypotheses.n_blocks <= m
    log_ways = gammaln(m + 1) - gammaln(np.where(possible, m - hypotheses.n_blocks, 0) + 1)
    chance: NDArray[np.float64] = log_ways - hypotheses.n_wrong * np.log(m)
    return np.where(possible, chance, -1e6)


def _normalise(
    scores: NDArray[np.float64], pattern: NDArray[np.int64], n_patterns: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the weight of each hypothesis in its pattern, and the log of the sum of each pattern."""
    best = np.full(n_patterns, -np.inf)
    np.maximum.at(best, pattern, scores)
    raised = np.exp(scores - best[pattern])
    sums = np.bincount(pattern, weights=raised, minlength=n_patterns)
    return raised / sums[pattern], best + np.log(sums)


def _find_intervals(
    hypotheses: _Hypotheses, fit: _Fit, found: NDArray[np.int64], images: NDArray[np.int64],
    known: Sequence[int], z: float,
) -> NDArray[np.float64]:  # fmt: skip
    """Return the lower and the upper ends, float64 [2, people]."""
    n_patterns = int(hypotheses.pattern.max()) + 1
    n_tasks = np.bincount(found, minlength=n_patterns).astype(np.float64)
    losses = _estimate_losses(hypotheses, fit.weights, fit.skills, found, images, known)
    ends = [
        _find_interval(hypotheses, fit, n_tasks, person, z * z * loss / 2)
        for person, loss in zip(known, losses, strict=True)
    ]
    return np.array(ends).T


def _find_interval(
    hypotheses: _Hypotheses, fit: _Fit, n_tasks: NDArray[np.float64], person: int, drop: float
) -> tuple[float, float]:
    """Return the values of a skill below and above the best at which the log-likelihood drops so far.

    The others keep their skills. The probability of a pattern is linear in one skill, so it is known for
    every value from the probability that the person is right.
    """
    skill = float(fit.skills[person])
    is_right = hypotheses.right[:, [person]].toarray()[:, 0] * fit.weights
    is_wrong = hypotheses.wrong[:, [person]].toarray()[:, 0] * fit.weights
    right = np.bincount(hypotheses.pattern, weights=is_right, minlength=len(n_tasks))
    wrong = np.bincount(hypotheses.pattern, weights=is_wrong, minlength=len(n_tasks))
    mine = right + wrong > 0.5  # the patterns in which the person answered: both are shares of one

    def measure_drop(value: float) -> float:
        more, less = value / skill, (1 - value) / (1 - skill)
        change = float(n_tasks[mine] @ np.log(right[mine] * more + wrong[mine] * less))
        return change + _PRIOR * float(np.log(more) + np.log(less)) + drop

    low = brentq(measure_drop, _LEAST, skill) if measure_drop(_LEAST) < 0 else 0.0
    high = brentq(measure_drop, skill, 1 - _LEAST) if measure_drop(1 - _LEAST) < 0 else 1.0
    return float(low), float(high)


def _estimate_losses(
    hypotheses: _Hypotheses, weights: NDArray[np.float64], skills: NDArray[np.float64],
    found: NDArray[np.int64], groups: NDArray[np.int64], known: Sequence[int],
) -> NDArray[np.float64]:  # fmt: skip
    """Estimate by how much each skill varies more than it would if the others were known and tasks apart.

    The variance is the sandwich of the information, as Louis (1982) gives it for incomplete data, and of the
    scores by image; or the inverse of the information, if that is larger.
    """
    n_patterns = int(hypotheses.pattern.max()) + 1
    n_tasks = np.bincount(found, minlength=n_patterns)
    people = np.array(known)
    right, wrong = hypotheses.right[:, people], hypotheses.wrong[:, people]
    one, rest = 1 / skills[people], 1 / (1 - skills[people])
    scores = right.multiply(one[None, :]) - wrong.multiply(rest[None, :])
    to_pattern = sparse.csr_array(
        (weights, (hypotheses.pattern, np.arange(len(weights)))), shape=(n_patterns, len(weights))
    )
    means = (to_pattern @ scores).tocsr()
    weight = weights * n_tasks[hypotheses.pattern]
    complete = right.T @ weight * one**2 + wrong.T @ weight * rest**2 + _PRIOR * (one**2 + rest**2)
    spread = scores.T @ scores.multiply(weight[:, None]) - means.T @ means.multiply(n_tasks[:, None])
    information = np.diag(complete) - spread.toarray()
    _, image = np.unique(groups, return_inverse=True)
    by_image = sparse.csr_array((np.ones(len(found)), (image, found))) @ means
    inverse = np.linalg.pinv(information)
    sandwich = np.diag(inverse @ (by_image.T @ by_image).toarray() @ inverse)
    losses: NDArray[np.float64] = np.maximum(sandwich, np.diag(inverse)) * np.diag(information)
    return np.maximum(losses, 1.0)

"""Find expressions that fit several objects, by the scores of the alternatives."""

import math
from collections import Counter
from collections.abc import Iterator

from ris.quality.findings import FindingKind, TaskFinding
from ris.store.checked import CheckedTask, ShownRanking

DEFAULT_MIN_ENTROPY = 0.8  # of the alternatives; `benchmarks.planted_faults` says what it finds
_CALIBRATED_CHANCE = 0.5  # at least two alternatives that are probably right, each for itself


def compute_entropy(ranking: ShownRanking) -> float:
    """Compute how evenly the score is divided among the alternatives: 0 for one, 1 for equal scores.

    The entropy of the scores as shares of their sum, divided by the logarithm of their number.
    """
    total = sum(ranking.scores)
    shares = [score / total for score in ranking.scores if score > 0] if total > 0 else []
    if len(shares) < 2:
        return 0.0
    return -sum(share * math.log(share) for share in shares) / math.log(len(shares))


def compute_odds(ranking: ShownRanking) -> float:
    """Compute how many times the best score is the second one; infinite with one alternative."""
    if len(ranking.scores) < 2 or ranking.scores[1] <= 0:
        return math.inf
    return ranking.scores[0] / ranking.scores[1]


def compute_dissent(ranking: ShownRanking) -> float:
    """Compute the share of the methods whose favourite is not that of most methods."""
    if not ranking.favourites:
        return 0.0
    counts = Counter(ranking.favourites.values())
    return 1 - counts.most_common(1)[0][1] / len(ranking.favourites)


def find_ambiguous(task: CheckedTask, *, min_entropy: float) -> Iterator[TaskFinding]:
    """Find an expression for which several alternatives are about as good.

    Args:
        task: with its ranking; without one nothing is found.
        min_entropy: from this entropy on, in [0, 1]. Where the scores are chances, two of at least one half
            are enough.
    """
    ranking = task.ranking
    if ranking is None or len(ranking.scores) < 2:
        return
    entropy, odds, dissent = compute_entropy(ranking), compute_odds(ranking), compute_dissent(ranking)
    several = ranking.is_chance and ranking.scores[1] >= _CALIBRATED_CHANCE
    if entropy < min_entropy and not several:
        return
    sentence = (
        f"{task.task.expression!r:.80} fits several alternatives about as well (the first {odds:.1f} times "
        "as well as the second): say which one is meant"
    )
    evidence = {"entropy": round(entropy, 3), "odds": round(odds, 2), "dissent": round(dissent, 2)}
    yield TaskFinding(FindingKind.AMBIGUOUS, sentence, (task,), evidence)

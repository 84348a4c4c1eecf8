"""The rankings that every benchmark compares: one for each method, and their fusion."""

import numpy as np

from ris.core.types import MethodScores

FUSION = "fusion"


def has_preference(method_scores: MethodScores) -> bool:
    """Return whether a method prefers a proposal.

    True if its scores differ, or if there is exactly one proposal. False if the method was skipped.
    """
    if method_scores.skipped_reason or not len(method_scores.scores):
        return False
    return len(method_scores.scores) == 1 or bool(np.ptp(method_scores.scores) > 0)

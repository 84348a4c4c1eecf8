"""The rankings that every benchmark compares: each method's, and their fusion."""

import numpy as np

from ris.core.types import MethodScores

FUSION = "fusion"


def has_preference(opinion: MethodScores) -> bool:
    """Whether a method could run and prefers some proposal; of one alone it need not."""
    if opinion.skipped_reason or not len(opinion.scores):
        return False
    return len(opinion.scores) == 1 or bool(np.ptp(opinion.scores) > 0)

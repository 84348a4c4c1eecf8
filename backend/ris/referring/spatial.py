"""The spatial method: scores by words of position and size alone, such as "left", "top", "middle" and "big".

It is our own method, after LGD's spatial rectifier and HybridGL's spatial guidance. It uses only the
positions and sizes of the proposals, and it is skipped for an expression without such a word. A preset gives
it a weight.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ris.core.expression import ParsedExpression
from ris.core.proposals import Proposals
from ris.core.types import Image, MethodScores
from ris.referring.direction import find_plain_direction
from ris.referring.scene import Scene

_MIDDLE_WORDS = frozenset({"middle", "center", "centre", "central"})
_BIG_WORDS = frozenset({"big", "large", "bigger", "larger", "biggest", "largest", "huge"})
_SMALL_WORDS = frozenset({"small", "little", "tiny", "smaller", "smallest"})


@dataclass(frozen=True, slots=True)
class Spatial:
    """The method; it needs no network."""

    name: str = "spatial"

    def see(self, image: Image, proposals: Proposals) -> Mapping[str, NDArray]:
        """Return no arrays: the boxes and masks of the scene are enough."""
        return {}

    def see_masks(self, image: Image, proposals: Proposals) -> Mapping[str, NDArray]:
        """Return no arrays."""
        return {}

    def score(self, scene: Scene, expressions: Sequence[ParsedExpression]) -> list[MethodScores]:
        """Score how well each proposal's position and size fit the words: the mean of the cues in [0, 1]."""
        return [self._score_one(scene, expression) for expression in expressions]

    def _score_one(self, scene: Scene, expression: ParsedExpression) -> MethodScores:
        found = compute_cues(scene, expression)
        if not found:
            return MethodScores(self.name, skipped_reason="no location or size words")
        scores = np.mean(list(found.values()), 0).astype(np.float32)
        return MethodScores(self.name, scores, evidence={"words of position and size": ", ".join(found)})


def compute_cues(scene: Scene, expression: ParsedExpression) -> dict[str, NDArray[np.float64]]:
    """Compute how well each proposal fits each word of position or size: by word, float64 [N] in [0, 1]."""
    height, width = scene.size
    boxes = np.array(scene.boxes, np.float64).reshape(-1, 4)
    x = (boxes[:, 0] + boxes[:, 2]) / 2 / width
    y = (boxes[:, 1] + boxes[:, 3]) / 2 / height
    areas = np.array([mask.area_px for mask in scene.masks], np.float64)
    size = np.sqrt(areas / max(float(areas.max(initial=1)), 1))
    sides = {"left": 1 - x, "right": x, "top": 1 - y, "bottom": y}
    found = {side: sides[side] for side in find_plain_direction(expression) if side}
    subject = set(expression.subject.split())
    if _MIDDLE_WORDS & subject or (
        not expression.landmarks and _MIDDLE_WORDS & {w.text for w in expression.words}
    ):
        found["middle"] = 1 - np.hypot(x - 0.5, y - 0.5) * np.sqrt(2)
    if _BIG_WORDS & subject:
        found["big"] = size
    if _SMALL_WORDS & subject:
        found["small"] = 1 - size
    return found

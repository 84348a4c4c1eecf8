"""A prior from words of place and size alone: "left", "top", "middle", "big".

In the manner of LGD's spatial rectifier and of HybridGL's spatial guidance (papers sheet, sections 2
and 4), as a method of its own: it knows nothing of the picture but where the proposals lie and how large
they are, and has no say on an expression without such a word. A preset decides whether it is asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ris.core.expression import ParsedExpression
from ris.core.proposals import Proposals
from ris.core.types import Image, Scored
from ris.referring.direction import plain_direction
from ris.referring.scene import Scene

MIDDLE = frozenset({"middle", "center", "centre", "central"})
BIG = frozenset({"big", "large", "bigger", "larger", "biggest", "largest", "huge"})
SMALL = frozenset({"small", "little", "tiny", "smaller", "smallest"})


@dataclass(frozen=True, slots=True)
class Spatial:
    """The prior; it needs no network."""

    name: str = "spatial"

    def see(self, image: Image, proposals: Proposals) -> Mapping[str, NDArray]:
        """Nothing: the boxes and masks of the scene are enough."""
        return {}

    def score(self, scene: Scene, expressions: Sequence[ParsedExpression]) -> list[Scored]:
        """How well each proposal's place and size fit the words: the mean of the cues, each in [0, 1]."""
        return [self._scored(scene, expression) for expression in expressions]

    def _scored(self, scene: Scene, expression: ParsedExpression) -> Scored:
        found = cues(scene, expression)
        if not found:
            return Scored(self.name, left_out="the words say nothing of place or size")
        scores = np.mean(list(found.values()), 0).astype(np.float32)
        return Scored(self.name, scores, evidence={"words of": ", ".join(found)})


def cues(scene: Scene, expression: ParsedExpression) -> dict[str, NDArray[np.float64]]:
    """By word, how well each proposal fits it: float64 [N] in [0, 1]."""
    height, width = scene.size
    boxes = np.array(scene.boxes, np.float64).reshape(-1, 4)
    x = (boxes[:, 0] + boxes[:, 2]) / 2 / width
    y = (boxes[:, 1] + boxes[:, 3]) / 2 / height
    areas = np.array([mask.area_px for mask in scene.masks], np.float64)
    size = np.sqrt(areas / max(float(areas.max(initial=1)), 1))
    sides = {"left": 1 - x, "right": x, "top": 1 - y, "bottom": y}
    found = {side: sides[side] for side in plain_direction(expression) if side}
    subject = set(expression.subject.split())
    if MIDDLE & subject or (not expression.landmarks and MIDDLE & {w.text for w in expression.words}):
        found["middle"] = 1 - np.hypot(x - 0.5, y - 0.5) * np.sqrt(2)
    if BIG & subject:
        found["big"] = size
    if SMALL & subject:
        found["small"] = 1 - size
    return found

"""The method `grounder`: a vision-language model says where the referent is, as boxes, points or polygons.

A proposal scores by how well it agrees with one of the things that the model names: IoU of the boxes, share
of the mask inside of the box, share of the points inside of the mask, IoU with the polygons. Of several
things a proposal scores by the one that it fits best; where the expression refers to all of them, as "the two
dogs" does, it scores by how well it covers them together.

The refiner makes masks of the places, see `ris.referring.late`: what the proposer missed can be ranked too.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from ris.core import rle
from ris.core.boxes import compute_box
from ris.core.expression import ParsedExpression
from ris.core.proposals import Proposals
from ris.core.types import Box, Image, MethodScores, Size
from ris.errors import BackendError, EndpointError, GroundingError
from ris.referring.grounding.dialects import Dialect, read_grounding
from ris.referring.grounding.question import Question
from ris.referring.grounding.things import GroundedThing, Grounding
from ris.referring.protocols import VisionModel
from ris.referring.scene import Scene

GROUNDER = "grounder"
GROUNDER_TEMPERATURE = 0.1  # scores lie in [0, 1]
# As `planning.ALGORITHM_REVISION`, for what changes only where there is a vision-language model.
GROUNDER_REVISION = "2"
_MULTIPLE = 224  # of 28 and of 32: models that round the sides to these leave the picture as it is
_LONGEST_SIDE = 1120
_CONCURRENCY = 4

_ASKED = MappingProxyType({"questions": "1"})  # for one expression

Encode = Callable[[NDArray[np.uint8], Size], bytes]


@dataclass(frozen=True, slots=True)
class Grounder:
    """The method.

    Attributes:
        vlm: the model that is asked.
        dialect: how it is asked and read, as a probe found it.
        encode: encodes uint8 [H, W, 3] as a JPEG file of another size (height, width).
    """

    vlm: VisionModel
    dialect: Dialect
    encode: Encode
    name: str = GROUNDER

    def see(self, image: Image, proposals: Proposals) -> Mapping[str, NDArray]:
        """Encode the picture that is sent: the bytes of a JPEG file, uint8 [n], and its (height, width)."""
        sent = choose_sent_size(image.size)
        jpeg = np.frombuffer(self.encode(image.pixels, sent), np.uint8)
        return {"jpeg": jpeg, "sent": np.array(sent, np.int64)}

    def see_masks(self, image: Image, proposals: Proposals) -> Mapping[str, NDArray]:
        """Return no arrays."""
        return {}

    def locate(self, scene: Scene, expressions: Sequence[ParsedExpression]) -> list[Grounding | BackendError]:
        """Ask once per expression where its referent is, a few at the same time."""
        with ThreadPoolExecutor(_CONCURRENCY) as pool:
            return list(pool.map(lambda one: self._ask(scene, one.raw), expressions))

    def score(self, scene: Scene, expressions: Sequence[ParsedExpression]) -> list[MethodScores]:
        """Score the agreement of each proposal with what `locate` says, in [0, 1].

        The method is skipped for an expression if the model fails, if its answer cannot be read, or if it
        says that there is no such thing.
        """
        if not scene.masks:
            return [MethodScores(self.name) for _ in expressions]
        known = scene.located.get(self.name)
        answers = self.locate(scene, expressions) if known is None else [known] * len(expressions)
        scores = [np.zeros(len(scene.masks), np.float32) for _ in answers]
        for i, (encoded, box) in enumerate(zip(scene.masks, scene.boxes, strict=True)):
            mask = rle.decode_rle(encoded)
            for one, answer, expression in zip(scores, answers, expressions, strict=True):
                if isinstance(answer, Grounding):
                    one[i] = _score_mask(mask, box, answer, expression.count)
        return [self._report(one, answer, scene) for one, answer in zip(scores, answers, strict=True)]

    def _ask(self, scene: Scene, expression: str) -> Grounding | BackendError:
        seen = scene.features[self.name]
        height, width = (int(side) for side in seen["sent"])
        picture = np.asarray(seen["jpeg"], np.uint8).tobytes()
        prompt = self.dialect.make_prompt(expression)
        try:
            task, schema = f"{scene.digest} {expression}", self.dialect.make_schema()
            reply = self.vlm.ask(Question(picture, prompt, task, schema=schema))
            return read_grounding(reply.text, self.dialect, sent=(height, width), displayed=scene.size)
        except (EndpointError, GroundingError) as error:
            return error

    def _report(
        self, scores: NDArray[np.float32], answer: Grounding | BackendError, scene: Scene
    ) -> MethodScores:
        if not isinstance(answer, Grounding):
            return MethodScores(self.name, skipped_reason=str(answer), evidence=_ASKED, absence=0.0)
        if not answer.things:
            reason = f"{self.vlm.model} says that there is no such thing"
            return MethodScores(self.name, skipped_reason=reason, evidence=_ASKED, absence=1.0)
        places = "; ".join(_describe(thing) for thing in answer.things[:5])
        evidence = {"places": places, **_ASKED}
        if n_late := scene.late.count(self.name):
            evidence["late proposals"] = str(n_late)
        if answer.notes:
            evidence["notes"] = "; ".join(answer.notes)
        return MethodScores(self.name, scores, evidence=evidence, absence=-1.0)


def choose_sent_size(size: Size) -> Size:
    """Choose the (height, width) in which an image is sent: multiples of 224, the longest side 1120."""
    longest = max(size)
    height, width = (
        max(_MULTIPLE, round(side * _LONGEST_SIDE / longest / _MULTIPLE) * _MULTIPLE) for side in size
    )
    return height, width


def _score_mask(mask: NDArray[np.bool_], box: Box, answer: Grounding, count: int) -> float:
    if answer.is_joint(count):
        return measure_joint_agreement(mask, answer.things)
    return max((measure_agreement(mask, box, thing) for thing in answer.things), default=0.0)


def measure_joint_agreement(mask: NDArray[np.bool_], things: Sequence[GroundedThing]) -> float:
    """Measure how well a mask covers several things together, in [0, 1].

    It is the mean of two: over the things, how well the part of the mask in the thing's box agrees with the
    thing; and the share of the mask that lies in one of the boxes. Things without a box have points or
    polygons, with which the whole mask is compared.

    Args:
        mask: bool [H, W], not empty.
        things: in the frame of the mask.
    """
    covered = np.zeros(mask.shape, np.bool_)
    agreements = []
    for thing in things:
        part = mask
        if thing.box is not None:
            x1, y1, x2, y2 = (round(side) for side in thing.box)
            part = np.zeros_like(mask)
            part[y1:y2, x1:x2] = mask[y1:y2, x1:x2]
            covered[y1:y2, x1:x2] = True
        agreements.append(measure_agreement(part, compute_box(part), thing) if part.any() else 0.0)
    if not covered.any():
        return float(np.mean(agreements))
    inside = np.count_nonzero(mask & covered) / np.count_nonzero(mask)
    return float(np.mean(agreements) + inside) / 2


def measure_agreement(mask: NDArray[np.bool_], box: Box, thing: GroundedThing) -> float:
    """Measure how well a mask agrees with a thing that a model named: the mean of what it gave, in [0, 1].

    Args:
        mask: bool [H, W], not empty.
        box: of the mask, XYXY.
        thing: in the frame of the mask.
    """
    cues = []
    if thing.box is not None:
        cues += [_compute_box_iou(box, thing.box), _compute_share_inside(mask, thing.box)]
    if thing.points:
        height, width = mask.shape
        inside = [bool(mask[min(int(y), height - 1), min(int(x), width - 1)]) for x, y in thing.points]
        cues.append(float(np.mean(inside)))
    if thing.polygons:
        drawn = np.zeros(mask.shape, np.uint8)
        cv2.fillPoly(drawn, [np.round(np.array(outline)).astype(np.int32) for outline in thing.polygons], 1)
        union = np.count_nonzero(mask | (drawn > 0))
        cues.append(np.count_nonzero(mask & (drawn > 0)) / union)
    return float(np.mean(cues))


def _compute_box_iou(one: Box, two: Box) -> float:
    width = min(one[2], two[2]) - max(one[0], two[0])
    height = min(one[3], two[3]) - max(one[1], two[1])
    inside = max(width, 0.0) * max(height, 0.0)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, two))
    return inside / (areas - inside)


def _compute_share_inside(mask: NDArray[np.bool_], box: Box) -> float:
    x1, y1, x2, y2 = (round(side) for side in box)
    return float(np.count_nonzero(mask[y1:y2, x1:x2]) / np.count_nonzero(mask))


def _describe(thing: GroundedThing) -> str:
    if thing.box is not None:
        return "box " + ", ".join(f"{side:.0f}" for side in thing.box)
    if thing.points:
        return "point " + ", ".join(f"{value:.0f}" for value in thing.points[0])
    return f"polygon of {len(thing.polygons[0])} points"

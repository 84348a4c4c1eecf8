"""What a vision-language model adds on drawn scenes, by the share of its answers that are right."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ris.core import rle
from ris.core.masks import compute_iou_matrix
from ris.core.rle import RLE
from ris.core.types import Box, Image
from ris.evaluation.tinyworld.drawn_model import DrawnModel
from ris.evaluation.tinyworld.samples import make_worlds, sample_expressions
from ris.referring.grounding.things import Grounding
from ris.referring.late import add_late_proposals
from ris.referring.pipeline import Pipeline, ReferResult
from ris.referring.protocols import Locator
from ris.referring.scene import Scene
from ris.tinyworld.scene import SyntheticScene as World
from ris.tinyworld.sprites import NOUNS

_RIGHT_IOU = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class AskedScene:
    """A drawn scene that was processed, with its expressions.

    Attributes:
        number: of the scene.
        image: the picture.
        scene: of the pipeline.
        referents: by expression, the true mask; None for a thing that is not there.
        boxes: the same as boxes.
        things: the boxes of all things.
    """

    number: int
    image: Image
    scene: Scene
    referents: dict[str, RLE | None]
    boxes: dict[str, Box | None]
    things: tuple[Box, ...]


@dataclass(frozen=True, slots=True, eq=False)
class VlmOutcome:
    """The result of one expression.

    Attributes:
        scene: number of the scene.
        expression: in words.
        referent: the true mask; None for a thing that is not there.
        result: of the pipeline.
        masks: all masks that were ranked, the late ones last.
        n_questions: to the model.
    """

    scene: int
    expression: str
    referent: RLE | None
    result: ReferResult
    masks: tuple[RLE, ...]
    n_questions: int

    def is_right(self, first: int) -> bool:
        """Whether one of the first masks has an IoU over 0.5 with the referent."""
        shown = [one.mask for one in self.result.suggestions[:first]]
        return is_any_right(shown, self.referent)

    @property
    def early_masks(self) -> tuple[RLE, ...]:
        """The proposals of the image, without the late ones."""
        return self.masks[: len(self.masks) - len(self.result.late)]

    @property
    def is_called_absent(self) -> bool:
        """Whether "probably no such thing" is offered."""
        absence = self.result.suggestions[0].absence if self.result.suggestions else None
        return absence is not None and absence.is_probable


def is_any_right(masks: Sequence[RLE], referent: RLE | None) -> bool:
    """Whether one of some masks has an IoU over 0.5 with the referent."""
    if referent is None or not masks:
        return False
    return bool(compute_iou_matrix(masks, [referent]).max() > _RIGHT_IOU)


def see_scenes(pipeline: Pipeline, n_scenes: int, *, seed: int, per_scene: int) -> Iterator[AskedScene]:
    """Draw scenes and process them, each with expressions and with one of a thing that is not there.

    Args:
        pipeline: sees them.
        n_scenes: their number.
        seed: of the scenes.
        per_scene: the most expressions of things that are there.
    """
    for number, world in enumerate(make_worlds(n_scenes, split="train", seed=seed)):
        chosen = sample_expressions(world, number)[:per_scene]
        absent = make_absent_expression(world, number)
        referents: dict[str, RLE | None] = {absent: None}
        boxes: dict[str, Box | None] = {absent: None}
        for e in chosen:
            referents[e.text] = rle.encode_rle(world.get_mask(e.referent))
            boxes[e.text] = world.things[e.referent].box
        image = Image.from_pixels(np.ascontiguousarray(world.image))
        yield AskedScene(
            number, image, pipeline.see(image), referents, boxes,
            tuple(thing.box for thing in world.things),
        )  # fmt: skip


def make_absent_expression(world: World, number: int) -> str:
    """Name a kind of thing that a scene does not have.

    Args:
        world: the scene.
        number: of the scene, the seed of the choice.
    """
    there = {thing.noun for thing in world.things}
    return f"the {random.Random(number).choice([noun for noun in NOUNS if noun not in there])}"


def rank_scene(pipeline: Pipeline, asked: AskedScene, model: DrawnModel | None) -> list[VlmOutcome]:
    """Rank the expressions of one scene.

    Args:
        pipeline: ranks them.
        asked: the scene, as this pipeline sees it.
        model: what the pipeline asks; None if it asks none.
    """
    if model is not None:
        model.tell(asked.image.pixels, asked.boxes, asked.things)
    found = []
    for expression, referent in asked.referents.items():
        before = model.n_questions if model else 0
        result = pipeline.refer(asked.scene, expression, asked.image)
        n_questions = model.n_questions - before if model else 0
        masks = result.list_masks(asked.scene)
        found.append(VlmOutcome(asked.number, expression, referent, result, masks, n_questions))
    return found


def recover_planted_misses(pipeline: Pipeline, asked: AskedScene, model: DrawnModel) -> list[bool]:
    """Take away the proposals of each referent, and say whether a late proposal has it then.

    Args:
        pipeline: has a method that locates, and a refiner.
        asked: the scene, as this pipeline sees it.
        model: what the pipeline asks.
    """
    model.tell(asked.image.pixels, asked.boxes, asked.things)
    locator = next(method for method in pipeline.methods if isinstance(method, Locator))
    recovered = []
    for expression, referent in asked.referents.items():
        if referent is None or pipeline.refiner is None:
            continue
        scene = _remove_proposals(asked.scene, referent)
        parsed = pipeline.parser.parse(expression)
        (grounding,) = locator.locate(scene, [parsed])
        if isinstance(grounding, Grounding):
            scene = add_late_proposals(
                scene, asked.image, grounding, count=parsed.count, name=locator.name,
                refiner=pipeline.refiner, methods=(), same_mask_iou=pipeline.ranking.same_mask_iou,
            )  # fmt: skip
        recovered.append(is_any_right([one.mask for one in scene.late_proposals], referent))
    return recovered


def _remove_proposals(scene: Scene, referent: RLE) -> Scene:
    """Return a scene without the proposals that are right; the features of methods stay as they are."""
    ious = compute_iou_matrix(scene.masks, [referent])[:, 0]
    kept = np.flatnonzero(ious <= _RIGHT_IOU)
    return Scene(
        scene.digest, scene.size, tuple(scene.masks[i] for i in kept), tuple(scene.boxes[i] for i in kept),
        scene.quality[kept], scene.features,
    )  # fmt: skip

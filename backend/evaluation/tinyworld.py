"""The benchmark on drawn scenes that no training saw: `ris benchmark tinyworld`.

It says how good the embedded toys are in their own world, and nothing about photographs.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from backend.core import rle
from backend.core.boxes import boxes_of
from backend.core.masks import iou_matrix
from backend.core.types import Image, Proposals
from backend.referring.pipeline import Pipeline
from backend.referring.scene import Scene
from tinyworld.expressions import Expression, make_expressions
from tinyworld.scene import Scene as World
from tinyworld.scene import held_out, make_scene

TEST_SEED = 900_001  # the trainings use seeds below 1000
PER_SCENE = 10  # expressions a scene at most: scenes with many should not outweigh the others
RIGHT_IOU = 0.5


@dataclass(frozen=True, slots=True)
class Sample:
    """One expression and what came of it.

    Attributes:
        scene: its number; samples of one scene are not independent.
        kind: category, attribute, size, position, relation, ordinal or negation.
        is_held_out: the referent's colour and noun never met in a training scene.
        by_thing, by_noun: the chance of a guess among all things, and among those of its noun.
        known: with the true masks as proposals the referent came first.
        first, any_of_k: the first, or one of the k alternatives, has IoU > 0.5 with it; None when
            no proposals were made.
        ceiling: some proposal has.
    """

    scene: int
    kind: str
    is_held_out: bool
    by_thing: float
    by_noun: float
    known: bool
    first: bool | None = None
    any_of_k: bool | None = None
    ceiling: bool | None = None


@dataclass(frozen=True, slots=True)
class Proposed:
    """What was proposed for one scene: how many masks, and each thing's best IoU with any of them."""

    scene: int
    n_proposals: int
    best_ious: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """A proposer that is told the answer: the true masks."""

    proposals: Proposals

    def propose(self, image: Image) -> Proposals:
        return self.proposals


def worlds(n_scenes: int, *, split: str, seed: int) -> Iterator[World]:
    """Scenes of which something can be said; the same for the same seed."""
    rng = random.Random(seed)
    made = 0
    while made < n_scenes:
        world = make_scene(rng, split=split)
        if len(world.things) >= 2:
            made += 1
            yield world


def samples(
    pipeline: Pipeline, world: World, number: int, *, propose: bool
) -> tuple[list[Sample], Proposed | None]:
    """Try one scene's expressions with the true masks and, if asked, end to end."""
    image = Image.of(np.ascontiguousarray(world.image))
    truths = [world.instances == i + 1 for i in range(len(world.things))]
    known = known_scene(pipeline, image, truths)
    scene = pipeline.see(image) if propose else None
    codes = [rle.encode(truth) for truth in truths]
    ious = iou_matrix(scene.masks, codes) if scene else None
    rng = random.Random(number)
    expressions = list(make_expressions(world, rng))
    chosen = rng.sample(expressions, min(len(expressions), PER_SCENE))
    made = [_sample(pipeline, world, number, e, known) for e in chosen]
    if scene is None or ious is None:
        return made, None
    made = [_end_to_end(pipeline, s, e, scene, ious) for s, e in zip(made, chosen, strict=True)]
    best = ious.max(0).tolist() if len(ious) else [0.0] * len(truths)
    return made, Proposed(number, len(scene.masks), tuple(best))


def known_scene(pipeline: Pipeline, image: Image, truths: Sequence[NDArray[np.bool_]]) -> Scene:
    """The scene as it would be seen had the proposer found exactly the true masks."""
    masks = np.array(truths)
    proposals = Proposals(masks, boxes_of(masks), np.ones(len(masks), np.float32))
    return replace(pipeline, proposer=_Known(proposals)).see(image)


def _sample(pipeline: Pipeline, world: World, number: int, expression: Expression, known: Scene) -> Sample:
    referent = world.things[expression.referent]
    found = pipeline.refer(known, expression.text).suggestions
    return Sample(
        scene=number,
        kind=expression.kind,
        is_held_out=held_out(referent.noun, referent.colour),
        by_thing=1 / len(world.things),
        by_noun=1 / sum(thing.noun == referent.noun for thing in world.things),
        known=bool(found) and found[0].mask == known.masks[expression.referent],
    )


def _end_to_end(
    pipeline: Pipeline, sample: Sample, expression: Expression, scene: Scene, ious: NDArray[np.float64]
) -> Sample:
    right = {i for i in range(len(scene.masks)) if ious[i, expression.referent] > RIGHT_IOU}
    places = {scene.masks[i]: i in right for i in range(len(scene.masks))}
    hits = [places[s.mask] for s in pipeline.refer(scene, expression.text).suggestions]
    return replace(sample, first=hits[:1] == [True], any_of_k=any(hits), ceiling=bool(right))

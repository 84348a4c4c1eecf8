"""The benchmark on drawn scenes that no training saw: `ris benchmark tinyworld`.

It says how good the embedded toys are in their own world, and nothing about photographs.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ris.core import rle
from ris.core.masks import compute_iou_matrix
from ris.core.proposals import Proposals
from ris.core.rle import RLE
from ris.core.types import Image, MethodScores, Size
from ris.evaluation.rankings import FUSION, has_preference
from ris.referring.heat import enlarge_heat
from ris.referring.pipeline import Pipeline, ReferResult
from ris.referring.ranking import compute_ranks
from ris.referring.scene import Scene
from ris.tinyworld.expressions import Expression, make_attribute_description, make_expressions
from ris.tinyworld.scene import SyntheticScene as World
from ris.tinyworld.scene import is_held_out, make_scene

TEST_SEED = 900_001  # the trainings use seeds below 1000
MAX_EXPRESSIONS_PER_SCENE = 10  # expressions a scene at most: scenes with many should not outweigh the others
_RIGHT_IOU = 0.5
MISSED_PLACE = 99  # a place behind every real one


@dataclass(frozen=True, slots=True)
class TinyworldOutcome:
    """One expression and what came of it.

    Attributes:
        scene: its number; samples of one scene are not independent.
        kind: category, attribute, size, position, relation, ordinal or negation.
        is_held_out: the referent's colour and noun never met in a training scene.
        by_thing, by_noun: the chance of a guess among all things, and among those of its noun.
        known: by ranking, at which place the referent came with the true masks as proposals; MISSED
            where the ranking had no say or did not offer it.
        found: the same with the proposer's masks: the place of the first with IoU > 0.5; None when no
            proposals were asked for.
        ceiling: some proposal has.
        peak: the hottest point of IteRPrimE's map lies in the referent.
        described: the describer's sentence about its looks is exactly right.
    """

    scene: int
    kind: str
    is_held_out: bool
    chance_by_thing: float
    chance_by_noun: float
    places_with_true_masks: Mapping[str, int]
    places_with_proposals: Mapping[str, int] | None = None
    has_right_proposal: bool | None = None
    has_peak_inside: bool = False
    is_description_right: bool = False


@dataclass(frozen=True, slots=True)
class ProposalOutcome:
    """What was proposed for one scene: how many masks, and each thing's best IoU with any of them."""

    scene: int
    n_proposals: int
    best_ious: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _TrueMaskProposer:
    """A proposer that is told the answer: the true masks."""

    proposals: Proposals

    def propose(self, image: Image) -> Proposals:
        return self.proposals


def make_worlds(n_scenes: int, *, split: str, seed: int) -> Iterator[World]:
    """Scenes of which something can be said; the same for the same seed."""
    rng = random.Random(seed)
    made = 0
    while made < n_scenes:
        world = make_scene(rng, split=split)
        if len(world.things) >= 2:
            made += 1
            yield world


def sample_expressions(world: World, number: int) -> list[Expression]:
    """The expressions that are tried of a scene; the same for the same scene and number."""
    rng = random.Random(number)
    expressions = list(make_expressions(world, rng))
    return rng.sample(expressions, min(len(expressions), MAX_EXPRESSIONS_PER_SCENE))


def evaluate_world(
    pipeline: Pipeline, world: World, number: int, *, propose: bool
) -> tuple[list[TinyworldOutcome], ProposalOutcome | None]:
    """Try one scene's expressions with the true masks and, if asked, end to end."""
    image = Image.from_pixels(np.ascontiguousarray(world.image))
    truths = [world.mask(i) for i in range(len(world.things))]
    chosen = sample_expressions(world, number)
    words = [e.text for e in chosen]
    known = see_true_masks(pipeline, image, truths)
    made = [
        _make_outcome(world, number, e, known, reference)
        for e, reference in zip(chosen, pipeline.refer_all(known, words), strict=True)
    ]
    if not propose:
        return made, None
    scene = pipeline.see(image)
    ious = compute_iou_matrix(scene.masks, [rle.encode_rle(truth) for truth in truths])
    made = [
        _add_end_to_end(s, scene, reference, ious[:, e.referent])
        for s, e, reference in zip(made, chosen, pipeline.refer_all(scene, words), strict=True)
    ]
    best = ious.max(0).tolist() if len(ious) else [0.0] * len(truths)
    return made, ProposalOutcome(number, len(scene.masks), tuple(best))


@dataclass(frozen=True, slots=True)
class ScoredExpression:
    """One expression of one scene with everything that was said of it: what learning learns from."""

    expression: str
    scene: Scene
    scores: tuple[MethodScores, ...]
    referent: RLE


def score_world(pipeline: Pipeline, world: World, number: int) -> list[ScoredExpression]:
    """The same expressions as `evaluate_world`, ranked among the proposer's masks."""
    chosen = sample_expressions(world, number)
    scene = pipeline.see(Image.from_pixels(np.ascontiguousarray(world.image)))
    references = pipeline.refer_all(scene, [e.text for e in chosen])
    return [
        ScoredExpression(e.text, scene, r.scores, rle.encode_rle(world.mask(e.referent)))
        for e, r in zip(chosen, references, strict=True)
    ]


def see_true_masks(pipeline: Pipeline, image: Image, truths: Sequence[NDArray[np.bool_]]) -> Scene:
    """The scene as it would be seen had the proposer found exactly the true masks."""
    proposals = Proposals.from_masks(truths, image.size, np.ones(len(truths), np.float32))
    return replace(pipeline, proposer=_TrueMaskProposer(proposals)).see(image)


def _make_outcome(
    world: World, number: int, expression: Expression, known: Scene, reference: ReferResult
) -> TinyworldOutcome:
    referent = world.things[expression.referent]
    right = np.arange(len(world.things)) == expression.referent
    opinions = {o.method: o for o in reference.scores}
    said = opinions["lgd"].evidence.get("referent", "") if "lgd" in opinions else ""
    heat = opinions["iterprime"].heat if "iterprime" in opinions else None
    return TinyworldOutcome(
        scene=number,
        kind=expression.kind,
        is_held_out=is_held_out(referent.noun, referent.colour),
        chance_by_thing=1 / len(world.things),
        chance_by_noun=1 / sum(thing.noun == referent.noun for thing in world.things),
        places_with_true_masks=_find_places(known, reference, right),
        has_peak_inside=heat is not None
        and bool(world.mask(expression.referent)[_find_peak(heat, world.size)]),
        is_description_right=said == make_attribute_description(referent, world),
    )


def _add_end_to_end(
    sample: TinyworldOutcome, scene: Scene, reference: ReferResult, ious: NDArray[np.float64]
) -> TinyworldOutcome:
    right = ious > _RIGHT_IOU
    return replace(
        sample,
        places_with_proposals=_find_places(scene, reference, right),
        has_right_proposal=bool(right.any()),
    )


def _find_places(scene: Scene, reference: ReferResult, right: NDArray[np.bool_]) -> dict[str, int]:
    """By ranking, the place of the first right mask. A method that says the same of all has no say."""
    masks = {scene.masks[i] for i in np.flatnonzero(right)}
    offered = [s.mask in masks for s in reference.suggestions]
    found = {FUSION: offered.index(True) if True in offered else MISSED_PLACE}
    for opinion in reference.scores:
        of_right = (
            compute_ranks(opinion.scores)[right]
            if has_preference(opinion) and right.any()
            else np.array([MISSED_PLACE])
        )
        found[opinion.method] = int(of_right.min())
    return found


def _find_peak(heat: NDArray[np.uint8], size: Size) -> tuple[int, int]:
    """Row and column of the hottest pixel of the enlarged map."""
    large = enlarge_heat(heat.astype(np.float32), size)
    row, column = np.unravel_index(int(large.argmax()), large.shape)
    return int(row), int(column)

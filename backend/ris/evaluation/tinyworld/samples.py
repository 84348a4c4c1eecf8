"""The benchmark on drawn scenes that were not used for training: `ris benchmark tinyworld`.

It measures the embedded toy networks on the kind of scenes that they were trained for. It says nothing about
photographs.
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
from ris.core.types import Image, Size
from ris.evaluation.rankings import FUSION, has_preference
from ris.referring.heat import enlarge_heat
from ris.referring.pipeline import Pipeline, ReferResult
from ris.referring.ranking import compute_ranks
from ris.referring.scene import Scene
from ris.tinyworld.descriptions import make_attribute_description
from ris.tinyworld.expressions import make_expressions
from ris.tinyworld.scene import SyntheticScene as World
from ris.tinyworld.scene import is_held_out, make_scene
from ris.tinyworld.writer import Expression

TEST_SEED = 900_001  # the trainings use seeds below 1000
MAX_EXPRESSIONS_PER_SCENE = 10  # so that scenes with many expressions do not outweigh the others
_RIGHT_IOU = 0.5
MISSED_PLACE = 99  # greater than every real place


@dataclass(frozen=True, slots=True)
class TinyworldOutcome:
    """One expression with the places at which the rankings put its referent.

    Attributes:
        scene: number of the scene; outcomes of one scene are not independent.
        kind: category, attribute, size, position, relation, ordinal or negation.
        is_held_out: whether no training scene combines the referent's colour and noun.
        chance_by_thing: probability of a correct guess among all things.
        chance_by_noun: probability of a correct guess among the things with the referent's noun.
        places_with_true_masks: place of the referent by ranking, from 0, with the true masks as proposals;
            `MISSED_PLACE` if the ranking has no preference or does not offer it.
        places_with_proposals: the same with the masks of the proposer: the place of the first mask with
            IoU > 0.5; None if this was not evaluated.
        has_right_proposal: whether a proposal has IoU > 0.5 with the referent; None if not evaluated.
        has_peak_inside: whether the hottest pixel of IteRPrimE's map is in the referent.
        is_description_right: whether the describer's sentence on the referent's appearance is exactly right.
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
    """The proposals for one scene.

    Attributes:
        scene: number of the scene.
        n_proposals: number of masks.
        best_ious: for each thing, the highest IoU with a proposal.
    """

    scene: int
    n_proposals: int
    best_ious: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _TrueMaskProposer:
    """A proposer that returns the true masks."""

    proposals: Proposals

    def propose(self, image: Image) -> Proposals:
        return self.proposals


def make_worlds(n_scenes: int, *, split: str, seed: int) -> Iterator[World]:
    """Yield scenes with at least two things; the same scenes for the same seed."""
    rng = random.Random(seed)
    count = 0
    while count < n_scenes:
        world = make_scene(rng, split=split)
        if len(world.things) >= 2:
            count += 1
            yield world


def sample_expressions(world: World, number: int) -> list[Expression]:
    """Choose up to `MAX_EXPRESSIONS_PER_SCENE` expressions of a scene.

    Args:
        world: the scene.
        number: number of the scene, the seed of the choice.
    """
    rng = random.Random(number)
    expressions = list(make_expressions(world, rng))
    return rng.sample(expressions, min(len(expressions), MAX_EXPRESSIONS_PER_SCENE))


def evaluate_world(
    pipeline: Pipeline, world: World, number: int, *, propose: bool
) -> tuple[list[TinyworldOutcome], ProposalOutcome | None]:
    """Evaluate the expressions of one scene.

    Args:
        pipeline: ranks the proposals.
        world: the scene.
        number: number of the scene.
        propose: also evaluate end to end, with the masks of the proposer.

    Returns:
        One outcome for each expression; and the proposals, None without `propose`.
    """
    image = Image.from_pixels(np.ascontiguousarray(world.image))
    truths = [world.get_mask(i) for i in range(len(world.things))]
    chosen = sample_expressions(world, number)
    texts = [e.text for e in chosen]
    true_scene = see_true_masks(pipeline, image, truths)
    outcomes = [
        _make_outcome(world, number, e, true_scene, result)
        for e, result in zip(chosen, pipeline.refer_all(true_scene, texts), strict=True)
    ]
    if not propose:
        return outcomes, None
    scene = pipeline.see(image)
    true_masks = [rle.encode_rle(truth) for truth in truths]
    outcomes = [
        _add_end_to_end(outcome, scene, result, true_masks[e.referent])
        for outcome, e, result in zip(outcomes, chosen, pipeline.refer_all(scene, texts, image), strict=True)
    ]
    ious = compute_iou_matrix(scene.masks, true_masks)
    best = ious.max(0).tolist() if len(ious) else [0.0] * len(truths)
    return outcomes, ProposalOutcome(number, len(scene.masks), tuple(best))


@dataclass(frozen=True, slots=True)
class ScoredExpression:
    """One expression of one scene with the scores of all methods, as training data for the fusion.

    Attributes:
        expression: the expression.
        scene: the processed image with its proposals.
        result: the scores of each method, and the late proposals.
        referent: the true mask.
    """

    expression: str
    scene: Scene
    result: ReferResult
    referent: RLE


def score_world(pipeline: Pipeline, world: World, number: int) -> list[ScoredExpression]:
    """Score the expressions of `evaluate_world` against the masks of the proposer."""
    chosen = sample_expressions(world, number)
    image = Image.from_pixels(np.ascontiguousarray(world.image))
    scene = pipeline.see(image)
    results = pipeline.refer_all(scene, [e.text for e in chosen], image)
    return [
        ScoredExpression(e.text, scene, r, rle.encode_rle(world.get_mask(e.referent)))
        for e, r in zip(chosen, results, strict=True)
    ]


def see_true_masks(pipeline: Pipeline, image: Image, truths: Sequence[NDArray[np.bool_]]) -> Scene:
    """Process an image with the true masks as proposals.

    Args:
        pipeline: its proposer is replaced.
        image: the image.
        truths: the true masks, bool [H, W] each.
    """
    proposals = Proposals.from_masks(truths, image.size, np.ones(len(truths), np.float32))
    return replace(pipeline, proposer=_TrueMaskProposer(proposals)).see(image)


def _make_outcome(
    world: World, number: int, expression: Expression, true_scene: Scene, result: ReferResult
) -> TinyworldOutcome:
    referent = world.things[expression.referent]
    right = np.arange(len(world.things)) == expression.referent
    by_method = {o.method: o for o in result.scores}
    description = by_method["lgd"].evidence.get("referent", "") if "lgd" in by_method else ""
    heat = by_method["iterprime"].heat if "iterprime" in by_method else None
    return TinyworldOutcome(
        scene=number,
        kind=expression.kind,
        is_held_out=is_held_out(referent.noun, referent.colour),
        chance_by_thing=1 / len(world.things),
        chance_by_noun=1 / sum(thing.noun == referent.noun for thing in world.things),
        places_with_true_masks=_find_places(true_scene, result, right),
        has_peak_inside=heat is not None
        and bool(world.get_mask(expression.referent)[_find_peak(heat, world.size)]),
        is_description_right=description == make_attribute_description(referent, world),
    )


def _add_end_to_end(
    outcome: TinyworldOutcome, scene: Scene, result: ReferResult, truth: RLE
) -> TinyworldOutcome:
    right = compute_iou_matrix(result.list_masks(scene), [truth])[:, 0] > _RIGHT_IOU
    return replace(
        outcome,
        places_with_proposals=_find_places(scene, result, right),
        has_right_proposal=bool(right.any()),
    )


def _find_places(scene: Scene, result: ReferResult, right: NDArray[np.bool_]) -> dict[str, int]:
    """Find the place of the first right mask in each ranking; `MISSED_PLACE` without a preference."""
    ranked = result.list_masks(scene)
    masks = {ranked[i] for i in np.flatnonzero(right)}
    is_right = [s.mask in masks for s in result.suggestions]
    places = {FUSION: is_right.index(True) if True in is_right else MISSED_PLACE}
    for method_scores in result.scores:
        right_places = (
            compute_ranks(method_scores.scores)[right]
            if has_preference(method_scores) and right.any()
            else np.array([MISSED_PLACE])
        )
        places[method_scores.method] = int(right_places.min())
    return places


def _find_peak(heat: NDArray[np.uint8], size: Size) -> tuple[int, int]:
    """Return row and column of the hottest pixel after the map is enlarged to `size`."""
    large = enlarge_heat(heat.astype(np.float32), size)
    row, column = np.unravel_index(int(large.argmax()), large.shape)
    return int(row), int(column)

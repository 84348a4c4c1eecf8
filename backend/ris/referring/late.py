"""Late proposals: masks of the places that a method found for one expression.

The proposer reads no words, so it misses things. Where a vision-language model says where the referent is,
the refiner makes a mask of each place, as of a box or click that an annotator draws. The masks are appended
to the proposals of that expression alone, and every method scores them. Masks that the proposer made already
are left out. Several things to which the expression refers together ("the two dogs") give their union too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ris.core import rle
from ris.core.masks import compute_iou_matrix, compute_rle_box
from ris.core.proposals import Prompts, Proposals
from ris.core.types import Box, Image, Size
from ris.referring.grounder import measure_agreement
from ris.referring.grounding.things import GroundedThing, Grounding
from ris.referring.protocols import Method, Refiner
from ris.referring.scene import Scene

MAX_LATE_THINGS = 6  # of one answer; each costs a call of the refiner
_MIN_AGREEMENT = 0.5  # of a mask with the thing that it was made of


def add_late_proposals(
    scene: Scene,
    image: Image,
    grounding: Grounding,
    *,
    count: int,
    name: str,
    refiner: Refiner,
    methods: Sequence[Method],
    same_mask_iou: float,
) -> Scene:
    """Return the scene for one expression: with late proposals appended, and what the methods see of them.

    Args:
        scene: of `see`.
        image: the same image.
        grounding: where a method says that the referent is, in the frame of the image as displayed.
        count: of the expression, see `ParsedExpression`.
        name: of that method.
        refiner: makes the masks.
        methods: see the masks.
        same_mask_iou: a mask with at least this IoU with an earlier one is left out.
    """
    seen = Image(image.pixels, image.digest)
    made = _make_masks(scene, seen.size, grounding, refiner)
    n_single = len(made)
    if n_single == len(grounding.things) and grounding.is_joint(count):
        union = np.logical_or.reduce([mask for mask, _ in made])
        made.append((union, min(quality for _, quality in made)))
    masks = list(scene.masks)
    kept: list[tuple[NDArray[np.bool_], float]] = []
    joint: list[int] = []
    for i, (mask, quality) in enumerate(made):
        late = rle.encode_rle(mask)
        if seen.size != scene.size:
            late = rle.enlarge_rle(late, scene.size)
        if not masks or compute_iou_matrix([late], masks).max() < same_mask_iou:
            joint += [len(masks)] if i >= n_single else []
            masks.append(late)
            kept.append((mask, quality))
    if not kept:
        return scene
    qualities = np.array([quality for _, quality in kept], np.float32)
    proposals = Proposals.from_masks((mask for mask, _ in kept), seen.size, qualities)
    return replace(
        scene,
        masks=tuple(masks),
        boxes=(*scene.boxes, *(compute_rle_box(mask) for mask in masks[len(scene.masks) :])),
        quality=np.concatenate([scene.quality, qualities]),
        features={
            **scene.features,
            **{one.name: _append_rows(scene, one, one.see_masks(seen, proposals)) for one in methods},
        },
        late=(*scene.late, *[name] * len(kept)),
        joint=(*scene.joint, *joint),
    )


def _append_rows(scene: Scene, method: Method, rows: Mapping[str, NDArray]) -> dict[str, NDArray]:
    of_method = dict(scene.features[method.name])
    for name, array in rows.items():
        # Without proposals, arrays may have lost all their dimensions but the first.
        of_method[name] = np.concatenate([of_method[name], array]) if scene.masks else np.asarray(array)
    return of_method


def _make_masks(
    scene: Scene, size: Size, grounding: Grounding, refiner: Refiner
) -> list[tuple[NDArray[np.bool_], float]]:
    """Make the mask of each thing, bool of `size`, with its quality; things without a good one have none."""
    none = np.zeros(0, np.float32)
    bare = Scene(scene.digest, size, (), (), none, scene.features)
    made = []
    for thing in grounding.things[:MAX_LATE_THINGS]:
        placed = _scale_thing(thing, scene.size, size)
        proposals = refiner.refine(bare, _make_prompts(placed, size))
        boxes: list[Box] = [(x1, y1, x2, y2) for x1, y1, x2, y2 in proposals.boxes.tolist()]
        agreements = [
            measure_agreement(mask, box, placed) for mask, box in zip(proposals.masks, boxes, strict=True)
        ]
        if agreements and max(agreements) >= _MIN_AGREEMENT:
            best = int(np.argmax(agreements))
            made.append((proposals.masks[best], float(proposals.quality[best])))
    return made


def _scale_thing(thing: GroundedThing, size: Size, wanted: Size) -> GroundedThing:
    """Bring a thing from the frame of one size of the image into that of another."""
    if size == wanted:
        return thing
    x, y = wanted[1] / size[1], wanted[0] / size[0]
    box = thing.box and (thing.box[0] * x, thing.box[1] * y, thing.box[2] * x, thing.box[3] * y)
    points = tuple((px * x, py * y) for px, py in thing.points)
    polygons = tuple(tuple((px * x, py * y) for px, py in outline) for outline in thing.polygons)
    return replace(thing, box=box, points=points, polygons=polygons)


def _make_prompts(thing: GroundedThing, size: Size) -> Prompts:
    """Make the prompts of a thing: its box, or the one around its polygons, and its points as clicks."""
    box = thing.box
    if box is None and thing.polygons:
        corners = np.array([point for outline in thing.polygons for point in outline])
        (x1, y1), (x2, y2) = corners.min(0).tolist(), corners.max(0).tolist()
        box = (x1, y1, x2, y2)
    height, width = size
    clicks = np.array(thing.points, np.float32).reshape(-1, 2)
    points = np.minimum(clicks, np.array([width - 1, height - 1], np.float32))
    return Prompts(size, points, np.ones(len(points), np.bool_), box=box)

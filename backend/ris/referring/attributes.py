"""The method `attributes`: colour, place, order, size; the words that it can use without a network.

It includes the cues of `spatial`, and takes that method's place where no network reads the picture. It says
in words what it used, and which words it could not use. "The second bag from the left" is the second of the
proposals that look alike, see `likeness`: what a bag is, it does not know.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ris.core.expression import ParsedExpression
from ris.core.masks import compute_inside_matrix
from ris.core.proposals import Proposals
from ris.core.types import Image, MethodScores
from ris.referring.attribute_words import AttributeWords, ColourWish, read_attributes
from ris.referring.colours import BASIC_COLOURS, SHADE_NAMES, count_colours
from ris.referring.likeness import compute_likeness, draw_thumbnails
from ris.referring.scene import Scene
from ris.referring.spatial import compute_cues

_COUNTED_SIDE = 480  # the picture is shrunk to about this side before colours are counted
_ALIKE = (
    0.42  # likeness from which two things are of one kind; measured on drawn scenes of the training split
)
_APART = 0.3  # of two things of a kind neither has more than this share inside the other
_FLOOR = 0.05  # of every cue, so that one word that is wrong does not rule a mask out
_QUALITY_WEIGHT = 0.5
_COLOUR_WEIGHT = 2.0  # colours are read more surely than kinds
_NO_GROUP = 0.35  # of a thing that is like no other, where an order is named
_PLACES = (1.0, 0.4, 0.2)  # of the first, the second and later things of a group, where an extreme is named
_WRONG_PLACE = (1.0, 0.25, 0.1)  # of the place that is named, the next one, others


@dataclass(frozen=True, slots=True)
class Attributes:
    """The method; it needs no network."""

    name: str = "attributes"

    def see(self, image: Image, proposals: Proposals) -> Mapping[str, NDArray]:
        """Compute the arrays of `see_masks`; nothing depends on the whole image."""
        return self.see_masks(image, proposals)

    def see_masks(self, image: Image, proposals: Proposals) -> Mapping[str, NDArray]:
        """Count the colours of each proposal and draw it small, for comparing."""
        step = max(1, max(image.size) // _COUNTED_SIDE)
        pixels = np.ascontiguousarray(image.pixels[::step, ::step])
        boxes = proposals.boxes.astype(np.int64).tolist()
        small = [np.ascontiguousarray(mask[::step, ::step]) for mask in proposals.masks]
        for i, (mask, (x1, y1, _, _)) in enumerate(zip(small, boxes, strict=True)):
            if not mask.any():  # thinner than a step
                mask[min(y1 // step, mask.shape[0] - 1), min(x1 // step, mask.shape[1] - 1)] = True
                small[i] = mask
        placed = [(mask, _find_box(mask)) for mask in small]
        silhouettes, patterns = draw_thumbnails(pixels, placed)
        return {
            "colours": count_colours(pixels, small),
            "silhouettes": silhouettes,
            "patterns": patterns,
        }

    def score(self, scene: Scene, expressions: Sequence[ParsedExpression]) -> list[MethodScores]:
        """Score how well each proposal fits the words: the sum of the cues' logarithms, 0 is best.

        An expression without a word that can be used ranks the proposals by their quality.
        """
        if not scene.masks:
            return [MethodScores(self.name) for _ in expressions]
        groups = find_groups(scene, scene.features[self.name])
        return [self._score_one(scene, groups, expression) for expression in expressions]

    def _score_one(
        self, scene: Scene, groups: NDArray[np.bool_], expression: ParsedExpression
    ) -> MethodScores:
        words = read_attributes(expression)
        colours = np.asarray(scene.features[self.name]["colours"])
        cues: dict[str, NDArray[np.float64]] = {}
        weights: dict[str, float] = {}
        for wish in words.colours:
            cues[str(wish)] = measure_colour(colours, wish)
            weights[str(wish)] = _COLOUR_WEIGHT
        matching = np.prod([cue >= 0.5 for cue in cues.values()], 0).astype(bool) if cues else None
        cues |= measure_order(scene, expression, words, _restrict(groups, matching))
        if any(wish.negated for wish in words.colours):  # "the mug that is not red" has a red one beside it
            cues["one of several alike"] = np.where(groups.sum(1) > 1, 1.0, _NO_GROUP)
        if words.is_person:
            cues["person-sized"] = measure_person(scene)
        total = _QUALITY_WEIGHT * np.log(_FLOOR + np.clip(scene.quality, 0, 1))
        for name, cue in cues.items():
            total = total + weights.get(name, 1.0) * np.log(_FLOOR + (1 - _FLOOR) * cue)
        evidence = {"words used": ", ".join(cues) or "none: the masks are ranked by their outlines alone"}
        if words.unused:
            evidence["words not used"] = f"{', '.join(words.unused)}: not recognised without a network"
        return MethodScores(self.name, total.astype(np.float32), evidence=evidence)


def _find_box(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    columns, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _restrict(groups: NDArray[np.bool_], matching: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """Leave in each group the things of the colour that is named, and the thing itself."""
    if matching is None or not matching.any():
        return groups
    return (groups & matching[None]) | np.eye(len(groups), dtype=np.bool_)


def measure_colour(colours: NDArray[np.float32], wish: ColourWish) -> NDArray[np.float64]:
    """Measure how much of each proposal has a colour: float64 [N] in [0, 1].

    Relative to the proposal that has most of it, because few things are of one colour all over.

    Args:
        colours: float32 [N, 11, 3], of `count_colours`.
        wish: the colour and the shade; for a shade alone, all colours count.
    """
    chosen = colours if not wish.colour else colours[:, [BASIC_COLOURS.index(wish.colour)]]
    by_shade = chosen.sum(1).astype(np.float64)
    if wish.shade:
        factors = np.array(
            [1.0 if shade == wish.shade else 0.5 if shade == "medium" else 0.2 for shade in SHADE_NAMES]
        )
        by_shade = by_shade * factors
    share = by_shade.sum(1)
    relative = np.minimum(share / max(float(share.max(initial=0)), 0.25), 1)
    return np.asarray(1 - relative if wish.negated else relative)


def measure_order(
    scene: Scene, expression: ParsedExpression, words: AttributeWords, groups: NDArray[np.bool_]
) -> dict[str, NDArray[np.float64]]:
    """Measure how well each proposal fits the words of place, order and size: by word, float64 [N].

    A word of place or size has two cues: the place in the image, as in `spatial`, and the place among the
    things that look alike. An ordinal has the second alone.

    Args:
        scene: N proposals.
        expression: for the cues of `spatial`.
        words: of the same.
        groups: bool [N, N], of `find_groups`.
    """
    if not words.is_ordered:
        return {}
    keys = _make_keys(scene, words)
    found: dict[str, NDArray[np.float64]] = {}
    if words.ordinal is not None:
        name, key = next(iter(keys.items()), ("left", _centres(scene)[0]))
        place = f"number {words.ordinal + 1}" if words.ordinal >= 0 else "last"
        found[f"{place} from the {name}"] = _measure_place(groups, key, words.ordinal)
    else:
        found |= compute_cues(scene, expression)
        if words.size and words.size not in found:
            found[words.size] = _spread(-keys[words.size])
        for name, key in keys.items():
            found[f"{name} among those alike"] = _measure_extreme(groups, key)
        if words.middle:
            found["middle of those alike"] = _measure_middle(groups, scene)
    if words.negated:
        return {f"not {name}": 1 - cue for name, cue in found.items()}
    return found


def _make_keys(scene: Scene, words: AttributeWords) -> dict[str, NDArray[np.float64]]:
    """Make for each word the values by which things are ordered, smallest first."""
    x, y = _centres(scene)
    boxes = np.array(scene.boxes, np.float64).reshape(-1, 4)
    wide, high = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    areas = np.array([mask.area_px for mask in scene.masks], np.float64)
    keys = {"left": x, "right": -x, "top": y, "bottom": -y, "big": -areas, "small": areas,
            "tall": -high, "short": high, "wide": -wide, "narrow": wide}  # fmt: skip
    return {name: keys[name] for name in (words.size, *words.sides) if name}


def _centres(scene: Scene) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    boxes = np.array(scene.boxes, np.float64).reshape(-1, 4)
    return (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2


def find_groups(scene: Scene, seen: Mapping[str, NDArray]) -> NDArray[np.bool_]:
    """Find for each proposal the proposals that show things of its kind: bool [N, N], itself included.

    Members of a group do not overlap: of two that do, the one with the better quality is a member.

    Args:
        scene: N proposals.
        seen: of `Attributes.see`.
    """
    areas = np.array([mask.area_px for mask in scene.masks], np.float64)
    alike = compute_likeness(seen["silhouettes"], seen["patterns"], areas) >= _ALIKE
    inside = compute_inside_matrix(scene.masks, scene.masks)
    apart = np.maximum(inside, inside.T) <= _APART
    groups = np.eye(len(areas), dtype=np.bool_)
    order = np.argsort(-scene.quality, kind="stable")
    for i in range(len(areas)):
        for j in order[alike[i][order] & apart[i][order]]:
            groups[i, j] = bool(apart[j][groups[i]].all())
    return groups


def _find_ranks(groups: NDArray[np.bool_], key: NDArray[np.float64]) -> NDArray[np.intp]:
    """Find the place of each thing in its own group, 0 for the smallest key: int [N]."""
    return np.asarray((groups & (key[None] < key[:, None])).sum(1))


def _measure_extreme(groups: NDArray[np.bool_], key: NDArray[np.float64]) -> NDArray[np.float64]:
    ranks = np.minimum(_find_ranks(groups, key), len(_PLACES) - 1)
    return np.where(groups.sum(1) > 1, np.array(_PLACES)[ranks], _NO_GROUP)


def _measure_place(groups: NDArray[np.bool_], key: NDArray[np.float64], place: int) -> NDArray[np.float64]:
    sizes, ranks = groups.sum(1), _find_ranks(groups, key)
    wanted = sizes - 1 if place < 0 else np.full_like(ranks, place)
    off = np.minimum(np.abs(ranks - wanted), len(_WRONG_PLACE) - 1)
    return np.where(sizes > 1, np.array(_WRONG_PLACE)[off], _WRONG_PLACE[-1])


def _spread(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Spread values over [0, 1]; equal ones are 1."""
    extent = float(np.ptp(values))
    return (values - values.min()) / extent if extent else np.ones_like(values)


def _measure_middle(groups: NDArray[np.bool_], scene: Scene) -> NDArray[np.float64]:
    """Measure whether a thing is the middle one of its group, along the longer axis of the two."""
    best = np.full(len(groups), 0.0)
    for key in _centres(scene):
        ranks, sizes = _find_ranks(groups, key), groups.sum(1)
        best = np.maximum(best, np.where(2 * ranks + 1 == sizes, 1.0, 0.3))
    return np.where(groups.sum(1) > 2, best, _NO_GROUP)


def measure_person(scene: Scene) -> NDArray[np.float64]:
    """Measure how near each proposal's size and form are to a person's: float64 [N] in [0, 1].

    Persons to whom people refer cover about a tenth of a photograph and are taller than wide.
    """
    boxes = np.array(scene.boxes, np.float64).reshape(-1, 4)
    areas = np.array([mask.area_px for mask in scene.masks], np.float64)
    share = areas / (scene.size[0] * scene.size[1])
    upright = (boxes[:, 3] - boxes[:, 1]) / np.maximum(boxes[:, 2] - boxes[:, 0], 1)
    size = np.exp(-0.5 * (np.log10(share / 0.1) / 0.6) ** 2)
    form = np.exp(-0.5 * (np.log(upright / 1.8) / 0.7) ** 2)
    return np.asarray(size * form)

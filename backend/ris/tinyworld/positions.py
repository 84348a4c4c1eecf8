"""Expressions of position: sides, the middle, corners, places in a row, halves of the canvas."""

import math
from collections.abc import Sequence
from itertools import pairwise

from ris.tinyworld.scene import SyntheticScene, Thing
from ris.tinyworld.words import ORDINAL_WORDS
from ris.tinyworld.writer import ExpressionWriter, ThingGroup, make_negation_templates

# Margins as shares of the canvas's side.
SIDE_SHARE = 0.11
QUEUE_SHARE = 0.07  # between neighbours in a row
HALF_GAP = 0.06  # on both sides of the middle line, for "not on the left"


_SIDES = {"x": ("left", "right"), "y": ("top", "bottom")}
_SUPERLATIVES = {
    "left": ("leftmost",),
    "right": ("rightmost",),
    "top": ("upper", "topmost", "highest"),
    "bottom": ("lower", "lowest"),
}


def _format_side(side: str) -> str:
    return f"on the {side}" if side in _SIDES["x"] else f"at the {side}"


def _get_length(scene: SyntheticScene, axis: str) -> int:
    height, width = scene.size
    return width if axis == "x" else height


def _get_extent(thing: Thing, axis: str) -> int:
    x0, y0, x1, y1 = thing.box
    return x1 - x0 if axis == "x" else y1 - y0


def get_position(thing: Thing, axis: str) -> float:
    """Get the centre of a thing on an axis, "x" or "y", in pixels."""
    return thing.x if axis == "x" else thing.y


def _is_apart(
    scene: SyntheticScene, one: Thing, two: Thing, axis: str, share: float, of_extent: float
) -> bool:
    """Whether `one` comes first on an axis by these shares of the canvas and of the two extents."""
    lead = get_position(two, axis) - get_position(one, axis)
    extent = (_get_extent(one, axis) + _get_extent(two, axis)) / 2
    return lead > share * _get_length(scene, axis) and lead > of_extent * extent


def add_sides(writer: ExpressionWriter, group: ThingGroup, axis: str) -> None:
    """Add expressions for the things that are clearly first and last on an axis, "x" or "y"."""
    scene, things = writer.scene, writer.scene.things
    order = sorted(group.members, key=lambda i: get_position(things[i], axis))
    first_side, last_side = _SIDES[axis]
    if all(_is_apart(scene, things[order[0]], things[i], axis, SIDE_SHARE, 0.5) for i in order[1:]):
        depth = get_position(things[order[0]], axis) / _get_length(scene, axis)
        _add_side(writer, order[0], first_side, writer.choose_name(group), depth)
    if all(_is_apart(scene, things[i], things[order[-1]], axis, SIDE_SHARE, 0.5) for i in order[:-1]):
        depth = 1 - get_position(things[order[-1]], axis) / _get_length(scene, axis)
        _add_side(writer, order[-1], last_side, writer.choose_name(group), depth)


def _add_side(writer: ExpressionWriter, index: int, side: str, word: str, depth: float) -> None:
    """Add expressions for a side.

    `depth` is the distance from that side as a share of the canvas. Beyond one half, "the left dog" is true
    and "the dog on the left" is not.
    """
    superlative = writer.rng.choice(_SUPERLATIVES[side])
    templates = [f"[(the) {side} {word}]", f"[(the) {superlative} {word}]", f"[{word}] {side}"]
    if depth < 0.5:
        templates += [f"[(the) {word}] {_format_side(side)}", f"[(the) {word}] {_format_side(side)}"]
        if side in _SIDES["x"]:
            templates += [f"[(the) {word}] on the {side} side", f"[{word}], {side} side"]
            templates += [f"[far {side} {word}]"] if depth < 0.35 else []
        else:
            templates += [f"[(the) {word}] at the {side} of the {writer.rng.choice(('picture', 'image'))}"]
    writer.add(index, "position", side, templates)


def add_middle(writer: ExpressionWriter, group: ThingGroup) -> None:
    """Add expressions for the second of three things in a row or in a column."""
    if len(group.members) != 3:
        return
    scene, things = writer.scene, writer.scene.things
    orders = {axis: sorted(group.members, key=lambda i: get_position(things[i], axis)) for axis in ("x", "y")}
    spreads = {a: get_position(things[o[2]], a) - get_position(things[o[0]], a) for a, o in orders.items()}
    axis, across = ("x", "y") if spreads["x"] > spreads["y"] else ("y", "x")
    first, middle, last = orders[axis]
    if not (
        _is_apart(scene, things[first], things[middle], axis, SIDE_SHARE, 0.5)
        and _is_apart(scene, things[middle], things[last], axis, SIDE_SHARE, 0.5)
        and (spreads[across] < 0.5 * spreads[axis] or orders[across][1] == middle)
    ):
        return
    word = writer.choose_name(group)
    templates = [f"[(the) middle {word}]"]
    if _is_centre(
        scene, things[middle], [things[first], things[last]]
    ):  # "in the middle" may mean the picture
        templates += [f"[(the) {word}] in the middle", f"[{word}], middle"]
        templates += [f"[(the) {word}] in the center", f"[(the) center {word}]"]
    writer.add(middle, "position", "middle", templates)


def _is_centre(scene: SyntheticScene, thing: Thing, others: Sequence[Thing]) -> bool:
    height, width = scene.size

    def compute_offset(one: Thing) -> float:
        return math.hypot(one.x / width - 0.5, one.y / height - 0.5)

    return compute_offset(thing) < 0.25 and all(
        compute_offset(other) > compute_offset(thing) + 0.1 for other in others
    )


def add_corners(writer: ExpressionWriter, group: ThingGroup) -> None:
    """Add expressions for things that are clearly the nearest to a corner."""
    scene, things = writer.scene, writer.scene.things
    height, width = scene.size
    for side, right in (("left", 0), ("right", 1)):
        for end, down in (("top", 0), ("bottom", 1)):
            order = sorted(
                (abs(things[i].x / width - right) + abs(things[i].y / height - down), i)
                for i in group.members
            )
            distance, index = order[0]
            is_inside = (things[index].x < width / 2) != bool(right) and (
                things[index].y < height / 2
            ) != bool(down)
            if not (is_inside and distance < 0.75 and order[1][0] - distance > 0.25):
                continue
            corner = f"{writer.rng.choice((end, 'upper' if end == 'top' else 'lower'))} {side}"
            word = writer.choose_name(group)
            templates = [
                f"[(the) {corner} {word}]",
                f"[(the) {corner} {word}]",
                f"[(the) {word}] at the {corner}",
                f"[(the) {word}] in the {corner}",
                f"[{word}] {corner}",
            ]
            if distance < 0.5:
                templates += [f"[(the) {word}] in the {corner} corner", f"[{word}], {corner} corner"]
            writer.add(index, "position", f"{end} {side}", templates)


def add_queue(writer: ExpressionWriter, group: ThingGroup, axis: str) -> None:
    """Add ordinal expressions for at most two places in a row, counted from a side."""
    scene, things = writer.scene, writer.scene.things
    order = sorted(group.members, key=lambda i: get_position(things[i], axis))
    pairs = pairwise(order)
    if not all(_is_apart(scene, things[a], things[b], axis, QUEUE_SHARE, 0.3) for a, b in pairs):
        return
    for _ in range(2 if len(order) > 2 else 1):
        place = writer.rng.randrange(len(order))
        if len(order) > 2 and place in (0, len(order) - 1):  # prefer inner places: draw once more
            place = writer.rng.randrange(len(order))
        side = writer.rng.choice(_SIDES[axis])
        rank = place if side == _SIDES[axis][0] else len(order) - 1 - place
        word, ordinal = writer.choose_name(group), _choose_ordinal(writer, rank)
        templates = (
            f"[(the) {ordinal} {word}] from the {side}",
            f"[(the) {ordinal} {word}] from the {side}",
            f"[{ordinal} {word}] from {side}",
            f"[(the) {word}] {ordinal} from the {side}",
        )
        writer.add(order[place], "ordinal", f"{ORDINAL_WORDS[rank][0]} from the {side}", templates)


def _choose_ordinal(writer: ExpressionWriter, rank: int) -> str:
    word, digits = ORDINAL_WORDS[rank]
    return digits if writer.rng.random() < 0.2 else word


def add_other_half(writer: ExpressionWriter, group: ThingGroup, axis: str) -> None:
    """Add a negation for the one thing that is not on the side where all others are."""
    things, length = writer.scene.things, _get_length(writer.scene, axis)
    low = [i for i in group.members if get_position(things[i], axis) < (0.5 - HALF_GAP) * length]
    high = [i for i in group.members if get_position(things[i], axis) > (0.5 + HALF_GAP) * length]
    if len(low) + len(high) < len(group.members):
        return
    for side, inside, outside in zip(_SIDES[axis], (low, high), (high, low), strict=True):
        # Of two things each is alone on its side: take one of them.
        if len(outside) == 1 and inside and (len(inside) > 1 or writer.rng.random() < 0.5):
            writer.add(
                outside[0],
                "negation",
                f"not {side}",
                make_negation_templates(writer.choose_name(group), _format_side(side)),
            )

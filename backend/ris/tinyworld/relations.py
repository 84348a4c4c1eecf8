"""Expressions of relations to landmarks: near, directions, between."""

import math

from ris.tinyworld.positions import get_position
from ris.tinyworld.scene import compute_gap
from ris.tinyworld.writer import ExpressionWriter, ThingGroup, make_negation_templates

# Margins in pixels of the reference canvas.
NEAR_PX = 14
FAR_PX = 28  # how much farther away the next thing is
BESIDE_PX = 22
OTHER_BESIDE_PX = -8


def add_relations(writer: ExpressionWriter, group: ThingGroup) -> None:
    """Add expressions that relate things of a group to things of other nouns."""
    named = [
        (index, name)
        for index, thing in enumerate(writer.scene.things)
        if thing.noun != group.noun and (name := writer.find_landmark_name(index)) is not None
    ]
    for index, landmark in named:
        _add_near(writer, group, index, landmark)
        _add_directions(writer, group, index, landmark)
    for place, one in enumerate(named):
        for two in named[place + 1 :]:
            _add_between(writer, group, one, two)


def _add_near(writer: ExpressionWriter, group: ThingGroup, index: int, landmark: str) -> None:
    things, scale = writer.scene.things, writer.scene.scale
    gaps = sorted((compute_gap(things[i], things[index]), i) for i in group.members)
    word = writer.choose_name(group)
    if gaps[0][0] < NEAR_PX * scale and gaps[1][0] > gaps[0][0] + FAR_PX * scale:
        near = writer.rng.choice(("next to", "near", "by", "beside", "close to", "closest to"))
        writer.add(gaps[0][1], "relation", "near", (f"[(the) {word}] {near} the {landmark}",), (index,))
    if gaps[-1][0] > (NEAR_PX + FAR_PX) * scale and gaps[-2][0] < NEAR_PX * scale:
        near = writer.rng.choice(("next to", "near", "beside"))
        writer.add(
            gaps[-1][1],
            "negation",
            "not near",
            make_negation_templates(word, f"{near} the {landmark}"),
            (index,),
        )


_DIRECTIONS = (
    ("left of", "x", -1, ("left of", "to the left of", "on the left of")),
    ("right of", "x", 1, ("right of", "to the right of", "on the right of")),
    ("above", "y", -1, ("above", "over")),
    ("below", "y", 1, ("below", "under", "beneath")),
)


def _add_directions(writer: ExpressionWriter, group: ThingGroup, index: int, landmark: str) -> None:
    things, scale = writer.scene.things, writer.scene.scale
    for rule, axis, sign, phrases in _DIRECTIONS:
        leads = {
            i: sign * (get_position(things[i], axis) - get_position(things[index], axis))
            for i in group.members
        }
        beside = [i for i in group.members if leads[i] > BESIDE_PX * scale]
        if len(beside) != 1 or any(
            leads[i] > OTHER_BESIDE_PX * scale for i in group.members if i != beside[0]
        ):
            continue
        across = "y" if axis == "x" else "x"
        drift = abs(get_position(things[beside[0]], across) - get_position(things[index], across))
        if leads[beside[0]] < 0.5 * drift:  # such as far more below it than left of it
            continue
        template = f"[(the) {writer.choose_name(group)}] {writer.rng.choice(phrases)} the {landmark}"
        writer.add(beside[0], "relation", rule, (template,), (index,))


def _add_between(
    writer: ExpressionWriter, group: ThingGroup, one: tuple[int, str], two: tuple[int, str]
) -> None:
    things = writer.scene.things
    a, b = things[one[0]], things[two[0]]
    length = math.hypot(b.x - a.x, b.y - a.y)
    if length < 70 * writer.scene.scale:
        return
    inside, arguable = [], 0
    for i in group.members:
        along = ((things[i].x - a.x) * (b.x - a.x) + (things[i].y - a.y) * (b.y - a.y)) / length**2
        across = abs((things[i].x - a.x) * (b.y - a.y) - (things[i].y - a.y) * (b.x - a.x)) / length**2
        if 0.2 < along < 0.8 and across < 0.25:
            inside.append(i)
        elif 0.05 < along < 0.95 and across < 0.5:
            arguable += 1
    if len(inside) == 1 and not arguable:
        template = f"[(the) {writer.choose_name(group)}] between the {one[1]} and the {two[1]}"
        writer.add(inside[0], "relation", "between", (template,), (one[0], two[0]))

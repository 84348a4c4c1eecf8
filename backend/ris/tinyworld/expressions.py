"""Referring expressions that are true of exactly one thing in a scene, by a margin that people can see."""

import random
from collections.abc import Sequence

from ris.tinyworld.attributes import add_category, add_colours, add_sizes
from ris.tinyworld.positions import add_corners, add_middle, add_other_half, add_queue, add_sides
from ris.tinyworld.relations import add_relations
from ris.tinyworld.scene import SyntheticScene
from ris.tinyworld.sprites import COLOURS
from ris.tinyworld.writer import Expression, ExpressionWriter, ThingGroup

EXPRESSION_KINDS = ("category", "attribute", "size", "position", "relation", "ordinal", "negation")
REPORT_ROWS = {
    "category": "category",
    "attribute": "attribute",
    "size": "attribute",
    "position": "position",
    "relation": "relation",
    "ordinal": "other",
    "negation": "other",
}


def make_expressions(scene: SyntheticScene, rng: random.Random) -> list[Expression]:
    """Make every expression of a scene, one wording for each rule, in random order without duplicates."""
    writer = ExpressionWriter(scene, rng)
    by_noun: dict[str, list[int]] = {}
    for index, thing in enumerate(scene.things):
        by_noun.setdefault(thing.noun, []).append(index)
    for noun, members in by_noun.items():
        if len(members) == 1:
            add_category(writer, members[0])
            continue
        add_colours(writer, noun, members)
        for group in _make_groups(scene, noun, members):
            add_sizes(writer, group)
            for axis in ("x", "y"):
                add_sides(writer, group, axis)
                add_queue(writer, group, axis)
                add_other_half(writer, group, axis)
            add_middle(writer, group)
            add_corners(writer, group)
            add_relations(writer, group)
    return writer.list_shuffled()


def _make_groups(scene: SyntheticScene, noun: str, members: Sequence[int]) -> list[ThingGroup]:
    groups = [ThingGroup(noun, "", tuple(members))]
    for colour in COLOURS:
        same = tuple(i for i in members if scene.things[i].colour == colour)
        if 1 < len(same) < len(members):
            groups.append(ThingGroup(noun, colour, same))
    return groups

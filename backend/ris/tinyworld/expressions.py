"""Referring expressions that are true of exactly one thing in a scene, by a margin that people can see."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ris.tinyworld.scene import SyntheticScene, Thing
from ris.tinyworld.sprites import COLOURS
from ris.tinyworld.words import COUNT_WORDS, ORDINAL_WORDS, add_article, choose_noun_word, to_plural

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

# Margins. Shares are of the canvas's side, unless the comment says otherwise; px are on the reference canvas.
SIZE_RATIO = 1.3  # of the longest sides and of the visible areas
PLAIN_SIZE_RATIO = 1.5  # for "not big" and "not small" of two things
SIDE_SHARE = 0.11
QUEUE_SHARE = 0.07  # between neighbours in a row
HALF_GAP = 0.06  # on both sides of the middle line, for "not on the left"
NEAR_PX = 14
FAR_PX = 28  # how much farther away the next thing is
BESIDE_PX = 22
OTHER_BESIDE_PX = -8


@dataclass(frozen=True, slots=True)
class Expression:
    """A referring expression.

    Attributes:
        text: in lower case.
        subject: noun phrase of the referent: "the second dog" in "the second dog from the left".
        referent: index into the scene's things.
        kind: one of `EXPRESSION_KINDS`.
        rule: the reason why it is true, such as "colour", "left", "near", "second biggest", "not colour".
        landmarks: indices of the things that the expression relates the referent to.
    """

    text: str
    subject: str
    referent: int
    kind: str
    rule: str
    landmarks: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _ThingGroup:
    """Things that share a noun, or a noun and a colour; `adjective` is "" or that colour."""

    noun: str
    adjective: str
    members: tuple[int, ...]


def make_expressions(scene: SyntheticScene, rng: random.Random) -> list[Expression]:
    """Make every expression of a scene, one wording for each rule, in random order without duplicates."""
    writer = _Writer(scene, rng)
    by_noun: dict[str, list[int]] = {}
    for index, thing in enumerate(scene.things):
        by_noun.setdefault(thing.noun, []).append(index)
    for noun, members in by_noun.items():
        if len(members) == 1:
            _add_category(writer, members[0])
            continue
        _add_colours(writer, noun, members)
        for group in _make_groups(scene, noun, members):
            _add_sizes(writer, group)
            for axis in ("x", "y"):
                _add_sides(writer, group, axis)
                _add_queue(writer, group, axis)
                _add_other_half(writer, group, axis)
            _add_middle(writer, group)
            _add_corners(writer, group)
            _add_relations(writer, group)
    return writer.list_shuffled()


def _make_groups(scene: SyntheticScene, noun: str, members: Sequence[int]) -> list[_ThingGroup]:
    groups = [_ThingGroup(noun, "", tuple(members))]
    for colour in COLOURS:
        same = tuple(i for i in members if scene.things[i].colour == colour)
        if 1 < len(same) < len(members):
            groups.append(_ThingGroup(noun, colour, same))
    return groups


class _Writer:
    """Writes expressions: chooses templates and synonyms, and keeps one expression of each text."""

    def __init__(self, scene: SyntheticScene, rng: random.Random) -> None:
        self.scene = scene
        self.rng = rng
        self._written: dict[str, Expression] = {}

    def add(
        self, referent: int, kind: str, rule: str, templates: Sequence[str], landmarks: tuple[int, ...] = ()
    ) -> None:
        """Write one expression from one of the templates, such as "[(the) red mug] on the left".

        "(the) " is optional; the subject is in square brackets.
        """
        marked = self.rng.choice(templates).replace("(the) ", "the " if self.rng.random() < 0.6 else "")
        subject = marked[marked.index("[") + 1 : marked.index("]")]
        text = marked.replace("[", "").replace("]", "")
        self._written.setdefault(text, Expression(text, subject, referent, kind, rule, landmarks))

    def choose_name(self, group: _ThingGroup) -> str:
        return f"{group.adjective} {choose_noun_word(group.noun, self.rng)}".strip()

    def choose_colour(self, thing: Thing) -> str:
        """Choose the name of a thing's colour, with or without its shade."""
        if thing.shade and self.rng.random() < 0.5:
            return f"{thing.shade} {thing.colour}"
        return str(thing.colour)

    def find_landmark_name(self, index: int) -> str | None:
        """Find a name that no other thing in the scene has; None if noun and colour are not enough."""
        thing = self.scene.things[index]
        same = [other for other in self.scene.things if other.noun == thing.noun]
        word = choose_noun_word(thing.noun, self.rng)
        if len(same) == 1:
            return f"{self.choose_colour(thing)} {word}" if thing.colour and self.rng.random() < 0.4 else word
        if sum(other.colour == thing.colour for other in same) == 1:
            return f"{self.choose_colour(thing)} {word}"
        if thing.shade and sum((o.colour, o.shade) == (thing.colour, thing.shade) for o in same) == 1:
            return f"{thing.shade} {thing.colour} {word}"
        return None

    def list_shuffled(self) -> list[Expression]:
        written = list(self._written.values())
        self.rng.shuffle(written)
        return written


def _add_category(writer: _Writer, index: int) -> None:
    thing = writer.scene.things[index]
    word = choose_noun_word(thing.noun, writer.rng)
    writer.add(index, "category", "noun", (f"[(the) {word}]", f"[(the) {word}]", f"[{add_article(word)}]"))
    if thing.colour and writer.rng.random() < 0.5:
        colour = writer.choose_colour(thing)
        writer.add(index, "category", "colour", (f"[(the) {colour} {word}]", f"[{word}], {colour}"))


def _add_colours(writer: _Writer, noun: str, members: Sequence[int]) -> None:
    things = writer.scene.things
    for i in members:
        word = choose_noun_word(noun, writer.rng)
        others = [things[j] for j in members if j != i]
        colours = {other.colour for other in others}
        if things[i].colour not in colours:
            _add_colour(writer, i, "colour", writer.choose_colour(things[i]), word)
            if len(colours) <= 2:
                _add_not_colour(writer, i, sorted(map(str, colours)), word)
        elif things[i].shade and all(
            (o.colour, o.shade) != (things[i].colour, things[i].shade) for o in others
        ):
            _add_colour(writer, i, "shade", f"{things[i].shade} {things[i].colour}", word)


def _add_colour(writer: _Writer, index: int, rule: str, colour: str, word: str) -> None:
    templates = (
        f"[(the) {colour} {word}]",
        f"[(the) {colour} {word}]",
        f"[{add_article(colour)} {word}]",
        f"[(the) {word}] that is {colour}",
        f"[(the) {word}] which is {colour}",
        f"[{colour} colored {word}]",
        f"[{word}], {colour}",
    )
    writer.add(index, "attribute", rule, templates)


def _add_not_colour(writer: _Writer, index: int, colours: Sequence[str], word: str) -> None:
    if len(colours) == 1:
        (colour,) = colours
        templates: tuple[str, ...] = (
            f"[the {word}] that is not {colour}",
            f"[(the) {word}] not {colour}",
            f"[(the) non {colour} {word}]",
            f"[(the) {word}] which is not {colour}",
            f"[{word}], not {colour}",
        )
        writer.add(index, "negation", "not colour", templates)
        return
    one, two = writer.rng.sample(list(colours), 2)
    templates = (
        f"[(the) {word}] that is neither {one} nor {two}",
        f"[(the) {word}] that is not {one} or {two}",
        f"[(the) {word}] neither {one} nor {two}",
        f"[(the) {word}] not {one} and not {two}",
    )
    writer.add(index, "negation", "neither colour", templates)


def _compute_size_ratio(one: Thing, two: Thing) -> float:
    """Compute how many times larger `one` is: the smaller of the ratios of sides and of visible areas."""
    return min(one.size_px / two.size_px, one.area_px / two.area_px)


def _add_sizes(writer: _Writer, group: _ThingGroup) -> None:
    things = writer.scene.things
    order = sorted(group.members, key=lambda i: things[i].size_px)
    small, big = order[0], order[-1]
    ratios = [_compute_size_ratio(things[b], things[a]) for a, b in pairwise(order)]
    word = writer.choose_name(group)
    if all(_compute_size_ratio(things[big], things[i]) > SIZE_RATIO for i in order[:-1]):
        writer.add(big, "size", "biggest", _make_size_templates(word, _BIG, is_pair=len(order) == 2))
    if all(_compute_size_ratio(things[i], things[small]) > SIZE_RATIO for i in order[1:]):
        writer.add(small, "size", "smallest", _make_size_templates(word, _SMALL, is_pair=len(order) == 2))
    if len(order) == 2 and ratios[0] > PLAIN_SIZE_RATIO:
        index, claims = writer.rng.choice(((big, ("small", "the smallest")), (small, ("big", "the biggest"))))
        writer.add(index, "negation", "not size", _make_negation_templates(word, writer.rng.choice(claims)))
    if len(order) > 2 and min(ratios) > SIZE_RATIO:
        second = f"[(the) {writer.rng.choice(ORDINAL_WORDS[1])}"
        writer.add(
            order[-2], "ordinal", "second biggest", (f"{second} biggest {word}]", f"{second} largest {word}]")
        )
        writer.add(order[1], "ordinal", "second smallest", (f"{second} smallest {word}]",))


_BIG = (("big", "large", "biggest", "largest"), ("bigger", "larger"))
_SMALL = (("small", "little", "tiny", "smallest"), ("smaller",))


def _make_size_templates(
    word: str, sizes: tuple[tuple[str, ...], tuple[str, ...]], *, is_pair: bool
) -> list[str]:
    any_number, of_two = sizes
    adjectives = any_number + of_two if is_pair else any_number
    return [f"[(the) {adjective} {word}]" for adjective in adjectives] + [f"[{word}], {any_number[0]}"]


def _make_negation_templates(word: str, claim: str) -> tuple[str, ...]:
    return (
        f"[the {word}] that is not {claim}",
        f"[(the) {word}] not {claim}",
        f"[(the) {word}] which is not {claim}",
        f"[{word}], not {claim}",
    )


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


def _get_position(thing: Thing, axis: str) -> float:
    return thing.x if axis == "x" else thing.y


def _is_apart(
    scene: SyntheticScene, one: Thing, two: Thing, axis: str, share: float, of_extent: float
) -> bool:
    """Whether `one` comes first on an axis by these shares of the canvas and of the two extents."""
    lead = _get_position(two, axis) - _get_position(one, axis)
    extent = (_get_extent(one, axis) + _get_extent(two, axis)) / 2
    return lead > share * _get_length(scene, axis) and lead > of_extent * extent


def _add_sides(writer: _Writer, group: _ThingGroup, axis: str) -> None:
    scene, things = writer.scene, writer.scene.things
    order = sorted(group.members, key=lambda i: _get_position(things[i], axis))
    first_side, last_side = _SIDES[axis]
    if all(_is_apart(scene, things[order[0]], things[i], axis, SIDE_SHARE, 0.5) for i in order[1:]):
        depth = _get_position(things[order[0]], axis) / _get_length(scene, axis)
        _add_side(writer, order[0], first_side, writer.choose_name(group), depth)
    if all(_is_apart(scene, things[i], things[order[-1]], axis, SIDE_SHARE, 0.5) for i in order[:-1]):
        depth = 1 - _get_position(things[order[-1]], axis) / _get_length(scene, axis)
        _add_side(writer, order[-1], last_side, writer.choose_name(group), depth)


def _add_side(writer: _Writer, index: int, side: str, word: str, depth: float) -> None:
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


def _add_middle(writer: _Writer, group: _ThingGroup) -> None:
    """Add expressions for the second of three things in a row or in a column."""
    if len(group.members) != 3:
        return
    scene, things = writer.scene, writer.scene.things
    orders = {
        axis: sorted(group.members, key=lambda i: _get_position(things[i], axis)) for axis in ("x", "y")
    }
    spreads = {a: _get_position(things[o[2]], a) - _get_position(things[o[0]], a) for a, o in orders.items()}
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


def _add_corners(writer: _Writer, group: _ThingGroup) -> None:
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


def _add_queue(writer: _Writer, group: _ThingGroup, axis: str) -> None:
    """Add ordinal expressions for at most two places in a row, counted from a side."""
    scene, things = writer.scene, writer.scene.things
    order = sorted(group.members, key=lambda i: _get_position(things[i], axis))
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


def _choose_ordinal(writer: _Writer, rank: int) -> str:
    word, digits = ORDINAL_WORDS[rank]
    return digits if writer.rng.random() < 0.2 else word


def _add_other_half(writer: _Writer, group: _ThingGroup, axis: str) -> None:
    """Add a negation for the one thing that is not on the side where all others are."""
    things, length = writer.scene.things, _get_length(writer.scene, axis)
    low = [i for i in group.members if _get_position(things[i], axis) < (0.5 - HALF_GAP) * length]
    high = [i for i in group.members if _get_position(things[i], axis) > (0.5 + HALF_GAP) * length]
    if len(low) + len(high) < len(group.members):
        return
    for side, inside, outside in zip(_SIDES[axis], (low, high), (high, low), strict=True):
        # Of two things each is alone on its side: take one of them.
        if len(outside) == 1 and inside and (len(inside) > 1 or writer.rng.random() < 0.5):
            writer.add(
                outside[0],
                "negation",
                f"not {side}",
                _make_negation_templates(writer.choose_name(group), _format_side(side)),
            )


def compute_gap(one: Thing, two: Thing) -> float:
    """Compute the distance between two boxes in pixels; 0 where they touch or overlap."""
    ax0, ay0, ax1, ay1 = one.box
    bx0, by0, bx1, by1 = two.box
    return math.hypot(max(ax0 - bx1, bx0 - ax1, 0), max(ay0 - by1, by0 - ay1, 0))


def _add_relations(writer: _Writer, group: _ThingGroup) -> None:
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


def _add_near(writer: _Writer, group: _ThingGroup, index: int, landmark: str) -> None:
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
            _make_negation_templates(word, f"{near} the {landmark}"),
            (index,),
        )


_DIRECTIONS = (
    ("left of", "x", -1, ("left of", "to the left of", "on the left of")),
    ("right of", "x", 1, ("right of", "to the right of", "on the right of")),
    ("above", "y", -1, ("above", "over")),
    ("below", "y", 1, ("below", "under", "beneath")),
)


def _add_directions(writer: _Writer, group: _ThingGroup, index: int, landmark: str) -> None:
    things, scale = writer.scene.things, writer.scene.scale
    for rule, axis, sign, phrases in _DIRECTIONS:
        leads = {
            i: sign * (_get_position(things[i], axis) - _get_position(things[index], axis))
            for i in group.members
        }
        beside = [i for i in group.members if leads[i] > BESIDE_PX * scale]
        if len(beside) != 1 or any(
            leads[i] > OTHER_BESIDE_PX * scale for i in group.members if i != beside[0]
        ):
            continue
        across = "y" if axis == "x" else "x"
        drift = abs(_get_position(things[beside[0]], across) - _get_position(things[index], across))
        if leads[beside[0]] < 0.5 * drift:  # such as far more below it than left of it
            continue
        template = f"[(the) {writer.choose_name(group)}] {writer.rng.choice(phrases)} the {landmark}"
        writer.add(beside[0], "relation", rule, (template,), (index,))


def _add_between(writer: _Writer, group: _ThingGroup, one: tuple[int, str], two: tuple[int, str]) -> None:
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


def make_name(thing: Thing, rng: random.Random) -> str:
    """Make a name of colour and noun, at times with the shade: "dark red mug"."""
    word = choose_noun_word(thing.noun, rng)
    if thing.colour is None:
        return word
    if thing.shade and rng.random() < 0.5:
        return f"{thing.shade} {thing.colour} {word}"
    return f"{thing.colour} {word}"


def make_caption(scene: SyntheticScene, rng: random.Random) -> str:
    """Make a caption of one to three kinds of things, at times with the background."""
    by_noun: dict[str, list[Thing]] = {}
    for thing in scene.things:
        by_noun.setdefault(thing.noun, []).append(thing)
    parts = []
    for noun, things in by_noun.items():
        if len(things) > 1 and rng.random() < 0.5:
            parts.append(f"{COUNT_WORDS[len(things)]} {to_plural(choose_noun_word(noun, rng))}")
        else:
            parts.append(" and ".join(add_article(make_name(thing, rng)) for thing in things[:2]))
    rng.shuffle(parts)
    text = " and ".join(parts[: rng.choice((1, 2, 2, 3))])
    return f"{text} in a {scene.ground} scene" if rng.random() < 0.3 else text


def find_size_word(thing: Thing, scene: SyntheticScene) -> str:
    """Find the word for a thing's size: "small", "medium" or "big", by the ranges in `scene.SIZES_PX`."""
    size = thing.size_px / scene.scale
    if size < 47:
        return "small"
    return "medium" if size < 67 else "big"


def make_attribute_description(thing: Thing, scene: SyntheticScene) -> str:
    """Describe how a thing looks: "a small dark red rabbit"."""
    words = ("a", find_size_word(thing, scene), thing.shade, thing.colour, thing.noun)
    return " ".join(word for word in words if word)


def make_surrounding_description(index: int, scene: SyntheticScene) -> str:
    """Describe a thing and its two nearest things: "a rabbit near an orange dog and a blue cup"."""
    thing, things = scene.things[index], scene.things
    nearest = sorted((compute_gap(thing, other), j) for j, other in enumerate(things) if j != index)[:2]
    around = []
    for _, j in nearest:
        words = (things[j].shade, things[j].colour, things[j].noun)
        around.append(add_article(" ".join(word for word in words if word)))
    return f"{add_article(thing.noun)} near {' and '.join(around)}"

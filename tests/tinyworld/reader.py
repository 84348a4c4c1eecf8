"""A second reader of expressions, for tests: which things a text is true of, from its words alone.

It does not know how expressions are made. It parses the text and decides for each thing of that noun: clearly
true (True), clearly not (False), or arguable (None). Its margins are wider than the generator's, so a
thing near a margin counts as arguable.
"""

import math
import re
from itertools import pairwise

from ris.tinyworld.scene import SyntheticScene, Thing

COLOURS = ["red", "orange", "yellow", "green", "blue", "purple", "pink", "white", "black"]
NAMES = """
dog cat horse cow pig sheep elephant rabbit/bunny turtle fish bird duck butterfly snail owl frog car bus
truck/lorry bicycle/bike boat/sailboat plane/airplane rocket tractor apple banana cake pizza burger/hamburger
carrot cup/mug chair umbrella guitar clock/alarm_clock key book ball balloon gift/present hat shirt/t-shirt
shoe backpack camera robot star tree cactus flower/tulip mushroom house tent teapot man/guy woman/lady boy
girl baby snowman bear/teddy_bear dress heart laptop
"""
NOUNS = {word.replace("_", " "): names.split("/")[0] for names in NAMES.split() for word in names.split("/")}
NOUN = "|".join(sorted(NOUNS, key=len, reverse=True))
COLOUR = f"(?:(?:dark|light) )?(?:{'|'.join(COLOURS)})"
SIDE = "left|right|top|bottom"
CORNER = "(?:top|upper|bottom|lower) (?:left|right)"
ORDINAL = "first|second|third|fourth|1st|2nd|3rd|4th"
SIZE = "biggest|bigger|big|largest|larger|large|smallest|smaller|small|little|tiny"
SIDE_OF = {
    "leftmost": "left",
    "rightmost": "right",
    "upper": "top",
    "topmost": "top",
    "highest": "top",
    "lower": "bottom",
    "lowest": "bottom",
    **{side: side for side in SIDE.split("|")},
}
NEAR = "next to|near|by|beside|close to|closest to"
BESIDE = {
    "left": "left of|to the left of|on the left of",
    "right": "right of|to the right of|on the right of",
    "top": "above|over",
    "bottom": "below|under|beneath",
}


class UnreadableError(Exception):
    """The reader met words that it does not know."""


def read(text: str, scene: SyntheticScene) -> tuple[str, dict[int, bool | None]]:
    """The noun phrase as the reader takes it, and what holds of each thing of its noun."""
    match = re.fullmatch(rf"((?:the |a |an )?((?:[\w-]+ )*?)({NOUN}))((?:,| ).*)?", text)
    if match is None:
        raise UnreadableError(text)
    phrase, adjectives, noun, clause = (
        match.group(1),
        match[2].strip(),
        NOUNS[match[3]],
        (match[4] or "").strip(", "),
    )
    group = {i: thing for i, thing in enumerate(scene.things) if thing.noun == noun}
    found: dict[int, bool | None] = dict.fromkeys(group, True)

    adjectives = adjectives.removesuffix(" colored")
    if match := re.fullmatch(rf"(.*?) ?(non )?({COLOUR})", adjectives):
        adjectives, negated, colour = match.groups()
        found = {i: is_colour(thing, colour) != bool(negated) for i, thing in group.items()}
        group = {i: thing for i, thing in group.items() if found[i]}
    if re.fullmatch(ORDINAL, adjectives) and clause.startswith("from "):  # "second dog from the left"
        adjectives, clause = "", f"{adjectives} {clause}"
    if adjectives:
        found.update(adjective(adjectives, group, scene))
    if clause:
        found.update(after_noun(clause, group, scene))
    return phrase, found


def adjective(words: str, group: dict[int, Thing], scene: SyntheticScene) -> dict[int, bool | None]:
    if words in SIDE_OF:
        return furthest(SIDE_OF[words], group, scene)
    if match := re.fullmatch("far (left|right)", words):
        return {
            i: true and share(group[i], match[1], scene) < 0.4
            for i, true in furthest(match[1], group, scene).items()
        }
    if re.fullmatch(CORNER, words):
        return find_in_corner(words, group, scene)
    if re.fullmatch(SIZE, words):
        return compare_sizes(words, group)
    if words in ("middle", "center"):
        return middle(group, scene, is_centre=words == "center")
    if match := re.fullmatch(rf"({ORDINAL}) (biggest|largest|smallest)", words):
        return order_by_size(match[2], rank(match[1]), group)
    raise UnreadableError(words)


def after_noun(clause: str, group: dict[int, Thing], scene: SyntheticScene) -> dict[int, bool | None]:
    clause = re.sub(r"^(that|which) is ", "", clause)
    if match := re.fullmatch(r"(?:not|neither) (.*)", clause):
        return {i: negation(value) for i, value in read_denied_claim(match[1], group, scene).items()}
    if re.fullmatch(COLOUR, clause):
        return {i: is_colour(thing, clause) for i, thing in group.items()}
    if re.fullmatch(SIZE, clause):
        return compare_sizes(clause, group)
    if re.fullmatch(SIDE, clause):
        return furthest(clause, group, scene)
    if match := re.fullmatch(rf"(?:on the |at the )?({SIDE})(?: side| of the (?:picture|image))?", clause):
        return {
            i: true and share(group[i], match[1], scene) < 0.5
            for i, true in furthest(match[1], group, scene).items()
        }
    if match := re.fullmatch(rf"(?:in the |at the )?({CORNER})(?: corner)?", clause):
        return find_in_corner(match[1], group, scene)
    if match := re.fullmatch(r"(?:in the )?(middle|center)", clause):
        return middle(group, scene, is_centre=True)
    if match := re.fullmatch(rf"({ORDINAL}) from (?:the )?({SIDE})", clause):
        return order_from_side(match[1], match[2], group, scene)
    if match := re.fullmatch(rf"(?:{NEAR}) the (.*)", clause):
        return near(landmark(match[1], scene), group, scene)
    if match := re.fullmatch(r"between the (.*) and the (.*)", clause):
        return between(landmark(match[1], scene), landmark(match[2], scene), group)
    for side, phrases in BESIDE.items():
        if match := re.fullmatch(rf"(?:{phrases}) the (.*)", clause):
            return beside(side, landmark(match[1], scene), group, scene)
    raise UnreadableError(clause)


def negation(value: bool | None) -> bool | None:
    return None if value is None else not value


def read_denied_claim(claim: str, group: dict[int, Thing], scene: SyntheticScene) -> dict[int, bool | None]:
    """What is said not to hold, read as a plain claim about each thing and not as "the most"."""
    if match := re.fullmatch(rf"({COLOUR}) (?:nor|or|and not) ({COLOUR})", claim):
        return {i: is_colour(t, match[1]) or is_colour(t, match[2]) for i, t in group.items()}
    if re.fullmatch(COLOUR, claim):
        return {i: is_colour(thing, claim) for i, thing in group.items()}
    if match := re.fullmatch(rf"(?:the )?({SIZE})", claim):
        if len(group) != 2 or ratio(*group.values()) < 1.45:
            return dict.fromkeys(group, None)
        return compare_sizes(match[1], group)
    if match := re.fullmatch(rf"(?:on|at) the ({SIDE})", claim):
        shares = {i: share(thing, match[1], scene) for i, thing in group.items()}
        return {i: True if s < 0.45 else False if s > 0.55 else None for i, s in shares.items()}
    if match := re.fullmatch(r"(?:next to|near|beside) the (.*)", claim):
        air = {i: distance(thing, landmark(match[1], scene)) / scale(scene) for i, thing in group.items()}
        return {i: True if a < 15 else False if a > 40 else None for i, a in air.items()}
    raise UnreadableError(claim)


def landmark(phrase: str, scene: SyntheticScene) -> Thing:
    match = re.fullmatch(rf"(?:({COLOUR}) )?({NOUN})", phrase)
    if match is None:
        raise UnreadableError(phrase)
    named = [
        t for t in scene.things if t.noun == NOUNS[match[2]] and (not match[1] or is_colour(t, match[1]))
    ]
    assert len(named) == 1, f"{phrase} names {len(named)} things"
    return named[0]


def is_colour(thing: Thing, colour: str) -> bool:
    *shade, plain = colour.split()
    return thing.colour == plain and (not shade or thing.shade == shade[0])


def scale(scene: SyntheticScene) -> float:
    height, width = scene.instances.shape
    return math.sqrt(height * width / (240 * 320))


def share(thing: Thing, side: str, scene: SyntheticScene) -> float:
    """How far a thing is from a side, as a share of the way to the other one."""
    height, width = scene.instances.shape
    return {"left": thing.x / width, "right": 1 - thing.x / width, "top": thing.y / height}.get(
        side, 1 - thing.y / height
    )


def furthest(side: str, group: dict[int, Thing], scene: SyntheticScene) -> dict[int, bool | None]:
    shares = {i: share(thing, side, scene) for i, thing in group.items()}
    order = sorted(shares, key=shares.__getitem__)
    if len(order) < 2 or shares[order[1]] - shares[order[0]] < 0.1:
        return dict.fromkeys(group, None)
    return {i: i == order[0] for i in group}


def find_in_corner(corner: str, group: dict[int, Thing], scene: SyntheticScene) -> dict[int, bool | None]:
    one, two = (SIDE_OF[word] for word in corner.split())
    far = {i: share(thing, one, scene) + share(thing, two, scene) for i, thing in group.items()}
    order = sorted(far, key=far.__getitem__)
    best = group[order[0]]
    if far[order[1]] - far[order[0]] < 0.24 or max(share(best, one, scene), share(best, two, scene)) > 0.5:
        return dict.fromkeys(group, None)
    return {i: i == order[0] for i in group}


def ratio(one: Thing, two: Thing) -> float:
    """Of the larger to the smaller; below 1 where side and area disagree about which is larger."""
    sides, areas = one.size_px / two.size_px, one.area_px / two.area_px
    return max(min(sides, areas), min(1 / sides, 1 / areas))


def compare_sizes(word: str, group: dict[int, Thing]) -> dict[int, bool | None]:
    if word in ("bigger", "larger", "smaller") and len(group) != 2:
        return dict.fromkeys(group, None)
    order = sorted(group, key=lambda i: group[i].size_px, reverse=word.startswith(("big", "lar")))
    if len(order) < 2 or min(ratio(group[order[0]], group[i]) for i in order[1:]) < 1.25:
        return dict.fromkeys(group, None)
    return {i: i == order[0] for i in group}


def rank(ordinal: str) -> int:
    return {"fi": 0, "1s": 0, "se": 1, "2n": 1, "th": 2, "3r": 2, "fo": 3, "4t": 3}[ordinal[:2]]


def order_by_size(word: str, place: int, group: dict[int, Thing]) -> dict[int, bool | None]:
    order = sorted(group, key=lambda i: group[i].size_px, reverse=word != "smallest")
    clear = all(ratio(group[a], group[b]) > 1.25 for a, b in pairwise(order))
    return {i: i == order[place] if clear else None for i in group}


def order_from_side(
    ordinal: str, side: str, group: dict[int, Thing], scene: SyntheticScene
) -> dict[int, bool | None]:
    shares = {i: share(thing, side, scene) for i, thing in group.items()}
    order = sorted(shares, key=shares.__getitem__)
    clear = all(shares[b] - shares[a] > 0.065 for a, b in pairwise(order))
    return {i: i == order[rank(ordinal)] if clear else None for i in group}


def middle(group: dict[int, Thing], scene: SyntheticScene, *, is_centre: bool) -> dict[int, bool | None]:
    arguable: dict[int, bool | None] = dict.fromkeys(group, None)
    if len(group) != 3:
        return arguable
    spreads = {}
    for side in ("left", "top"):
        order = sorted(group, key=lambda i, side=side: share(group[i], side, scene))
        first, second, third = (share(group[i], side, scene) for i in order)
        length = scene.instances.shape[side == "left"]
        spreads[side] = ((third - first) * length, min(second - first, third - second), order[1])
    (small, _, other), (large, step, best) = sorted(spreads.values())
    if step < 0.1 or (small > 0.55 * large and other != best):
        return arguable
    if is_centre:
        off = {
            i: math.hypot(share(t, "left", scene) - 0.5, share(t, "top", scene) - 0.5)
            for i, t in group.items()
        }
        if off[best] > 0.28 or any(off[i] < off[best] + 0.08 for i in off if i != best):
            return arguable
    return {i: i == best for i in group}


def distance(one: Thing, two: Thing) -> float:
    dx = max(one.box[0], two.box[0]) - min(one.box[2], two.box[2])
    dy = max(one.box[1], two.box[1]) - min(one.box[3], two.box[3])
    return math.hypot(max(dx, 0), max(dy, 0))


def near(what: Thing, group: dict[int, Thing], scene: SyntheticScene) -> dict[int, bool | None]:
    air = {i: distance(thing, what) / scale(scene) for i, thing in group.items()}
    nearest = min(air.values())
    return {
        i: True if a == nearest and a < 15 else False if a > nearest + 26 else None for i, a in air.items()
    }


def beside(side: str, what: Thing, group: dict[int, Thing], scene: SyntheticScene) -> dict[int, bool | None]:
    found: dict[int, bool | None] = {}
    for i, thing in group.items():
        dx, dy = (thing.x - what.x) / scale(scene), (thing.y - what.y) / scale(scene)
        lead, drift = {"left": (-dx, dy), "right": (dx, dy), "top": (-dy, dx), "bottom": (dy, dx)}[side]
        found[i] = True if lead > 20 and lead > 0.45 * abs(drift) else False if lead < -6 else None
    return found


def between(one: Thing, two: Thing, group: dict[int, Thing]) -> dict[int, bool | None]:
    found: dict[int, bool | None] = {}
    line = complex(two.x - one.x, two.y - one.y)
    for i, thing in group.items():
        place = complex(thing.x - one.x, thing.y - one.y) / line
        if 0.15 < place.real < 0.85 and abs(place.imag) < 0.3:
            found[i] = True
        else:
            found[i] = False if not 0.1 < place.real < 0.9 or abs(place.imag) > 0.45 else None
    return found

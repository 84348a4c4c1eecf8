"""Names, captions and descriptions of things; unlike expressions they may fit several things."""

import random

from ris.tinyworld.scene import SyntheticScene, Thing, compute_gap
from ris.tinyworld.words import COUNT_WORDS, add_article, choose_noun_word, to_plural


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

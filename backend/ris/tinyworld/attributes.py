"""Expressions of category, colour and size."""

from collections.abc import Sequence
from itertools import pairwise

from ris.tinyworld.scene import Thing
from ris.tinyworld.words import ORDINAL_WORDS, add_article, choose_noun_word
from ris.tinyworld.writer import ExpressionWriter, ThingGroup, make_negation_templates

SIZE_RATIO = 1.3  # of the longest sides and of the visible areas
PLAIN_SIZE_RATIO = 1.5  # for "not big" and "not small" of two things


def add_category(writer: ExpressionWriter, index: int) -> None:
    """Add expressions for the only thing with its noun."""
    thing = writer.scene.things[index]
    word = choose_noun_word(thing.noun, writer.rng)
    writer.add(index, "category", "noun", (f"[(the) {word}]", f"[(the) {word}]", f"[{add_article(word)}]"))
    if thing.colour and writer.rng.random() < 0.5:
        colour = writer.choose_colour(thing)
        writer.add(index, "category", "colour", (f"[(the) {colour} {word}]", f"[{word}], {colour}"))


def add_colours(writer: ExpressionWriter, noun: str, members: Sequence[int]) -> None:
    """Add expressions of colour and shade, and their negations, for things that share a noun."""
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


def _add_colour(writer: ExpressionWriter, index: int, rule: str, colour: str, word: str) -> None:
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


def _add_not_colour(writer: ExpressionWriter, index: int, colours: Sequence[str], word: str) -> None:
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


def add_sizes(writer: ExpressionWriter, group: ThingGroup) -> None:
    """Add expressions of size for things that are clearly larger or smaller than the rest of a group."""
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
        writer.add(index, "negation", "not size", make_negation_templates(word, writer.rng.choice(claims)))
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

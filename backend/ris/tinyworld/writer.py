"""Expressions of a scene, and the writer that builds them from templates."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from ris.tinyworld.scene import SyntheticScene, Thing
from ris.tinyworld.words import choose_noun_word


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
class ThingGroup:
    """Things that share a noun, or a noun and a colour.

    Attributes:
        noun: the noun.
        adjective: the colour, or "".
        members: indices of the things.
    """

    noun: str
    adjective: str
    members: tuple[int, ...]


class ExpressionWriter:
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

    def choose_name(self, group: ThingGroup) -> str:
        """Choose a name of a group: its noun or a synonym, with its colour if it has one."""
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
        """List the expressions in random order."""
        written = list(self._written.values())
        self.rng.shuffle(written)
        return written


def make_negation_templates(word: str, claim: str) -> tuple[str, ...]:
    """Make the templates of a negation, such as of "small" or "near the car"."""
    return (
        f"[the {word}] that is not {claim}",
        f"[(the) {word}] not {claim}",
        f"[(the) {word}] which is not {claim}",
        f"[{word}], not {claim}",
    )

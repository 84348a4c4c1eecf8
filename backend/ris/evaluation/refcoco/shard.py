"""A part of the images of a benchmark, for one of several machines."""

import hashlib
import re
from dataclasses import dataclass

from ris.errors import InputError


@dataclass(frozen=True, slots=True)
class Shard:
    """Part `number` of `count`, from 1. Every image is in exactly one, by its name alone."""

    number: int = 1
    count: int = 1

    def holds(self, image: str) -> bool:
        """Whether the image is in this part: the same on every machine, whatever other images there are."""
        place = int.from_bytes(hashlib.sha256(image.encode()).digest()[:8], "big")
        return place % self.count == self.number - 1


def read_shard(text: str) -> Shard:
    """ "3/8" is the third of eight parts.

    Raises:
        InputError: it is no such thing.
    """
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise InputError(f"a shard is a part of all, such as 3/8 for the third of eight, got {text!r:.40}")
    return Shard(int(match[1]), int(match[2]))

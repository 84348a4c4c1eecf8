"""Divide the images of a benchmark among several machines."""

import hashlib
import re
from dataclasses import dataclass

from ris.errors import InputError


@dataclass(frozen=True, slots=True)
class Shard:
    """One of `count` shards.

    A hash of its name assigns each image to exactly one shard.

    Attributes:
        number: number of the shard, from 1.
        count: number of shards.
    """

    number: int = 1
    count: int = 1

    def has_image(self, image: str) -> bool:
        """Return whether the shard has an image; depends only on the name of the image."""
        bucket = int.from_bytes(hashlib.sha256(image.encode()).digest()[:8], "big")
        return bucket % self.count == self.number - 1


def read_shard(text: str) -> Shard:
    """Read a shard from text: "3/8" is the third of eight.

    Raises:
        InputError: the text does not have this form.
    """
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise InputError(
            f"a shard must be number/count, such as 3/8 for the third of eight, got {text!r:.40}"
        )
    return Shard(int(match[1]), int(match[2]))

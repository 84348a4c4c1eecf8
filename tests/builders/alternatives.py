"""Alternatives of one task."""

from ris.core import rle
from ris.core.types import Alternative, MethodScore, Suggestion, Task
from ris.labelstudio.region import (
    make_region_id,
)
from tests.builders.masks import rectangle

SIZE = (40, 60)

TASK = Task(1, "1.1", "/a", "mug")


def offer(rank, mask):
    methods = {"global-local": MethodScore(21.456, rank)}
    suggestion = Suggestion(rank, 0.5 - rank / 10, rle.encode_rle(mask), (0, 0, 1, 1), methods, "tiny-1")
    return Alternative(make_region_id("1.1", 1, "mug", "tiny-1", rank), suggestion)


OFFERS = tuple(offer(rank, rectangle(SIZE, 2 + 15 * rank, 5, 14 + 15 * rank, 30)) for rank in range(3))

"""Rows of the record of decisions."""

from datetime import UTC, datetime, timedelta

import numpy as np

from ris.core import rle
from ris.core.types import Alternative, Annotation, Correction, MethodScore, Suggestion, Task, Verdict
from ris.store.history import read_decisions
from ris.store.records import (
    add_alternatives,
    add_correction,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)

TASK = Task(7, "1.1700000000", "/data/upload/1/a.png", "左 the left mug")

SIZE = (9, 14)


def mask(seed):
    return rle.encode_rle(np.random.default_rng(seed).random(SIZE) > 0.5)


def offers(version="v1", count=3):
    return tuple(
        Alternative(
            f"{version}-{rank}",
            Suggestion(
                rank,
                1 / 3 + rank,
                mask(rank),
                (0.5, 1, 2, 3.25),
                {"global-local": MethodScore(0.1 + rank, rank)},
                version,
            ),
        )
        for rank in range(count)
    )


def keep(database, task=TASK, version="v1", given=None, method_scores=()):
    with database.begin() as session:
        add_alternatives(
            session, task, "ab" * 32, SIZE, offers(version) if given is None else given,
            version=version, method_scores=method_scores, now=NOW,
        )  # fmt: skip


def correction(number=1, seconds=0, verdict=Verdict.ACCEPTED, rank=0, task=TASK, annotator=3):
    shown = mask(rank or 0) if verdict.has_mask else None
    when = NOW + timedelta(seconds=seconds)
    annotation = Annotation(number, task, when, shown, ("v1-0",), annotator=annotator, lead_time_s=1.5)
    return Correction(annotation, verdict, rank, 1.0)


def add(database, *corrections):
    with database.begin() as session:
        return [add_correction(session, c, version="v1", event_id=None, now=NOW) for c in corrections]


def read(database, **more):
    with database.begin() as session:
        return list(read_decisions(session, **more))

"""Decisions whose figures can be computed by hand."""

from datetime import UTC, datetime

from ris.core import rle
from ris.core.decision import Decision, to_judged_answer
from ris.core.types import (
    Alternative,
    Annotation,
    Correction,
    Edit,
    Image,
    MethodScore,
    Suggestion,
    Task,
    Verdict,
)
from ris.evaluation.decisions.galleries import draw_decision, make_galleries, to_data_uri
from ris.evaluation.decisions.table import make_decision_table
from tests.builders.masks import rectangle

SIZE = (10, 10)

LEFT, HALF, RIGHT = (rectangle(SIZE, *box) for box in ((0, 0, 4, 10), (0, 0, 2, 10), (6, 0, 10, 10)))

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)


def offer(rank, mask, **methods):
    scores = {name.replace("_", "-"): MethodScore(0.0, place) for name, place in methods.items()}
    return Alternative(
        f"r{rank}", Suggestion(rank, 1 - 0.3 * rank, rle.encode_rle(mask), (0, 0, 1, 1), scores, "v1")
    )


OFFERS = (offer(0, LEFT, lgd=0, iterprime=3), offer(1, RIGHT, lgd=2, iterprime=0))


def make_decision(verdict, mask=None, *, rank=None, offers=OFFERS, number=1, image="a.png", **more):
    annotation = Annotation(
        number, Task(number, "1.5", image, more.get("expression", "left mug")),
        more.get("at", MONDAY), None if mask is None else rle.encode_rle(mask),
        annotator=more.get("annotator", 7), lead_time_s=more.get("lead_time_s", 4.0),
    )  # fmt: skip
    correction = Correction(annotation, verdict, rank=rank, iou=more.get("iou"), edit=more.get("edit"))
    digest = more.get("digest", image)  # as if every reference had an image of its own
    return Decision(correction, offers, digest, SIZE, "v1" if offers else None)


def to_table(decisions):
    """The table of decisions; each has its position as `row_id`."""
    return make_decision_table(to_judged_answer(one, i) for i, one in enumerate(decisions))


def draw_galleries(decisions, read_pixels):
    return make_galleries(
        to_table(decisions),
        lambda ids: [decisions[i] for i in ids],
        lambda i, one: to_data_uri(
            draw_decision(one, Image.from_pixels(read_pixels(one.correction.annotation.task)))
        ),
        lambda task: f"https://studio.example/projects/1/data?task={task.task_id}",
    )


ACCEPTED = make_decision(Verdict.ACCEPTED, RIGHT, rank=1)

EDITED = make_decision(
    Verdict.EDITED, HALF, rank=0, number=2, image="b.png", lead_time_s=8.0, iou=0.5, edit=Edit(0, 20, 0.25)
)

REDRAWN = make_decision(Verdict.REDRAWN, RIGHT, offers=(), number=3, image="c.png", lead_time_s=None)

NONE = make_decision(Verdict.NO_REFERENT, number=4, image="d.png")

SKIPPED = make_decision(Verdict.SKIPPED, RIGHT, number=5, image="e.png")

EVERYTHING = [ACCEPTED, EDITED, REDRAWN, NONE, SKIPPED]

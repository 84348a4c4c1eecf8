"""Decisions for the tests of the export."""

import hashlib
import io
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from PIL import Image

from ris.core import rle
from ris.core.decision import Decision
from ris.core.expression import ParsedExpression, Word
from ris.core.types import Alternative, Annotation, Correction, MethodScore, Suggestion, Task, Verdict
from ris.export.formats import EXPORT_FORMATS
from ris.export.selection import ExportOptions
from tests.builders.exported import make_list_material


def make_holed_mask(size=(9, 14)):
    """A ring with a separate pixel: a hole and two parts."""
    mask = np.zeros(size, np.bool_)
    mask[1:6, 2:8] = True
    mask[3, 4] = False
    mask[8, 13] = True
    return mask


def decision(verdict, mask, number=1, image="/data/upload/1/a.png", expression="左のカップ"):
    task = Task(number, "1.1700000000", image, expression)
    answer = Annotation(
        number, task, datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
        rle.encode_rle(mask) if mask is not None else None, ("r0",), annotator=7, lead_time_s=2.5,
    )  # fmt: skip
    suggestion = Suggestion(
        0,
        0.75,
        rle.encode_rle(make_holed_mask()),
        (2, 1, 14, 9),
        {"global-local": MethodScore(21.5, 0)},
        "tiny-1",
    )
    correction = Correction(answer, verdict, rank=0, iou=1.0)
    size = mask.shape if mask is not None else (9, 14)
    return Decision(correction, (Alternative("r0", suggestion),), digest_of(image), size, "tiny-1")


def digest_of(image):
    """A digest as if every reference had an image of its own."""
    return hashlib.sha256(image.encode()).hexdigest()


ALL = [
    decision(Verdict.ACCEPTED, make_holed_mask()),
    decision(Verdict.NO_REFERENT, None, 2),
    decision(Verdict.SKIPPED, make_holed_mask(), 3, image="/data/upload/1/b.png"),
    decision(Verdict.EDITED, np.eye(9, 14, dtype=np.bool_), 4),
]


CHOICE = ExportOptions(formats=list(EXPORT_FORMATS), shares={"val": 0.3, "test": 0.3}, seed=3)


def make_difficult_mask(size, kind):
    """Masks that are difficult for some formats."""
    rng, mask = np.random.default_rng(7), np.zeros(size, np.bool_)
    if kind == "one pixel":
        mask[size[0] - 1, 0] = True
    elif kind == "noise":
        mask = rng.random(size) > 0.5
    elif kind == "all":
        mask[:] = True
    return mask


def picture(image, size):
    """An image of one colour, which depends on the reference."""
    file, colour = io.BytesIO(), hashlib.sha256(image.encode()).digest()[:3]
    Image.new("RGB", size[::-1], tuple(colour)).save(file, "PNG")
    return file.getvalue()


def with_digest(made):
    """The decision with the digest of the image that `picture` makes for it."""
    data = picture(made.correction.annotation.task.image_url, made.image_size)
    return replace(made, image_digest=hashlib.sha256(data).hexdigest())


def make_decisions():
    made = [decision(Verdict.ACCEPTED, make_holed_mask(), 1)]
    number = 2
    for size in ((9, 14), (31, 7), (1, 1)):
        for kind in ("one pixel", "noise", "all"):
            image = f"/data/upload/1/{size[0]}-{kind}.png"
            made.append(
                decision(
                    Verdict.REDRAWN, make_difficult_mask(size, kind), number, image, f"the {kind} of {size}"
                )
            )
            number += 1
    made.append(decision(Verdict.NO_REFERENT, None, number))
    made.append(decision(Verdict.SKIPPED, make_holed_mask(), number + 1))
    return [with_digest(one) for one in made]


DECISIONS = make_decisions()

SIZES = {d.correction.annotation.task.image_url: d.image_size for d in DECISIONS}


def fetch(task):
    return picture(task.image_url, SIZES[task.image_url])


def material(choice=CHOICE, decisions=DECISIONS, fetch=fetch):
    return make_list_material(decisions, choice, fetch=fetch, parse=parse)


def parse(expression):
    """Parse expressions such as "the left mug on the table"."""
    kinds = {"the": "DET", "left": "ADJ", "small": "ADJ", "on": "ADP"}
    words, start = [], 0
    for text in expression.split():
        words.append(Word(text, kinds.get(text, "NOUN"), start))
        start += len(text) + 1
    subject, _, landmark = expression.partition(" on ")
    primary = len(subject.split()) - 1
    return ParsedExpression(expression, subject, (landmark,) if landmark else (), tuple(words), primary)

"""Tasks on whose answers people agree or not."""

from dataclasses import replace
from datetime import timedelta

from ris.core.rle import encode_rle
from ris.core.types import Annotation, Correction, Verdict
from ris.store.records import add_correction
from tests.builders.records import NOW, TASK


def task_of(number):
    return replace(TASK, task_id=number, image_url=f"/data/upload/1/{number}.png")


def record_answer(database, task, person, said, *, annotation_id=None, minutes=0):
    """Record what a person answered: a mask bool [H, W], None for no referent, or "skipped"."""
    is_skipped = isinstance(said, str)
    mask = None if said is None or is_skipped else encode_rle(said)
    verdict = Verdict.SKIPPED if is_skipped else Verdict.REDRAWN if mask else Verdict.NO_REFERENT
    number = annotation_id or task.task_id * 100 + person
    at = NOW + timedelta(minutes=minutes)
    answer = Annotation(number, task, at, mask, annotator=person, cancelled=is_skipped)
    with database.begin() as session:
        add_correction(session, Correction(answer, verdict), version=None, event_id=None, now=NOW)


def disagree(database, number, *answers):
    """Record the answers of as many people, from 1, to a task."""
    for person, said in enumerate(answers, 1):
        record_answer(database, task_of(number), person, said)

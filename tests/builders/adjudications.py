"""Tasks that settle others, and answers to both."""

from dataclasses import replace

from ris.core.types import Task, Verdict
from ris.store.adjudications import Adjudication, OfferedMask
from tests.builders.records import TASK, correction

SETTLING = "5.1700000009"


def make_adjudication(task_id=1, source=TASK, answers=((1,), (2,))):
    offered = tuple(OfferedMask(f"r{task_id}-{rank}", rank, 0.25, ids) for rank, ids in enumerate(answers))
    return Adjudication(SETTLING, task_id, source, "answers-1", offered)


def outcome(number, task_id=1, source=TASK, verdict=Verdict.ACCEPTED, rank=0):
    task = Task(task_id, SETTLING, source.image_url, source.expression)
    return correction(number, verdict=verdict, rank=rank, task=task, annotator=9)


def of_task(number, task_id, annotator=3, rank=0):
    return correction(number, task=replace(TASK, task_id=task_id), annotator=annotator, rank=rank)

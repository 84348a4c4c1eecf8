"""Answers of several people to one task."""

import numpy as np

from ris.core.rle import encode_rle
from ris.core.types import Task, Verdict
from ris.store.answer_groups import AnswerGroup, PersonAnswer

ROW = (1, 10)


def paint(start, stop, size=ROW):
    """A mask of some columns, bool [H, W]."""
    mask = np.zeros(size, np.bool_)
    mask[:, start:stop] = True
    return mask


def person_answer(annotator, said):
    """An answer: a mask, None for no referent, or "skipped"."""
    if said is None or isinstance(said, str):
        return PersonAnswer(annotator, Verdict.NO_REFERENT if said is None else Verdict.SKIPPED, None)
    return PersonAnswer(annotator, Verdict.REDRAWN, encode_rle(said))


def answer_group(*answers, task_id=1, image="a", expression="the mug"):
    """The answers to one task, by the numbers of the people from 1."""
    task = Task(task_id, "1.1700000000", f"/{image}.png", expression)
    people = tuple(
        person_answer(number, said) for number, said in enumerate(answers, start=1) if said is not ...
    )
    return AnswerGroup(task, ("", image), people)

"""Answers to gold tasks."""

from ris.core.rle import encode_rle
from ris.core.types import Task
from ris.store.gold import GoldAnswer
from tests.builders.answers import paint


def gold_answer(person, said, known, image="a"):
    task = Task(1, "1.1700000000", f"/{image}.png", "the mug")
    masks = [None if one is None else encode_rle(one) for one in (said, known)]
    return GoldAnswer(task, ("", image), person, *masks)


def gold_answers(person, n_right, n_wrong):
    """Answers of a person to tasks of as many images, of which some are right."""
    right, wrong = paint(0, 4), paint(6, 9)
    return [
        gold_answer(person, right if i < n_right else wrong, right, image=str(i))
        for i in range(n_right + n_wrong)
    ]

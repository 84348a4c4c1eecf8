from dataclasses import replace
from datetime import timedelta

import pytest

from ris.core.types import Verdict
from ris.store.filters import DecisionFilter
from ris.store.judged import find_newest_judged_answers
from ris.store.progress import count_verdicts
from tests.builders.records import NOW, TASK, add, correction

DAY = NOW.date()


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (DecisionFilter(), [4, 3, 2, 1]),
        (DecisionFilter(project="2.5"), [4]),
        (DecisionFilter(annotator=8), [2]),
        (DecisionFilter(verdict=Verdict.NO_REFERENT), [3]),
        (DecisionFilter(since=DAY + timedelta(days=1)), [4, 3]),
        (DecisionFilter(until=DAY), [2, 1]),
        (DecisionFilter(since=DAY + timedelta(days=1), until=DAY + timedelta(days=1)), [3]),
    ],
)
def test_answers_and_counts_are_chosen_alike(database, chosen, expected):
    add(
        database, correction(1), correction(2, seconds=1, annotator=8),
        correction(3, seconds=86400, verdict=Verdict.NO_REFERENT, rank=None),
        correction(4, seconds=2 * 86400, task=replace(TASK, project="2.5", task_id=8)),
    )  # fmt: skip
    with database.begin() as session:
        found = find_newest_judged_answers(session, 99, chosen)
        n_counted = sum(count_verdicts(session, chosen).values())

    numbers = {(1 if one.annotator == 3 else 2): one for one in found}
    assert numbers
    assert [round((one.updated_at - NOW).total_seconds()) for one in found] == [
        {1: 0, 2: 1, 3: 86400, 4: 2 * 86400}[number] for number in expected
    ]
    assert n_counted == len(expected)

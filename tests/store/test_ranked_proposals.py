from datetime import timedelta

import numpy as np
import pytest

from ris.core.proposals import LateProposal
from ris.core.types import Annotation, Correction, MethodScores, Task, Verdict
from ris.store.history import find_decisions
from ris.store.ranked_proposals import find_newest_ranked_decisions, find_ranked_proposals
from ris.store.records import add_alternatives, add_correction
from tests.builders.queries import record_statements
from tests.builders.records import NOW, SIZE, TASK, mask, offers

MASKS = (mask(1), mask(2))
OTHER_PROJECT = "9.1700000000"


def decide(database, number, version="v1", verdict=Verdict.REDRAWN, project=TASK.project, masks=MASKS):
    """One decision on a task with two ranked proposals, `number` minutes after the others began."""
    task = Task(number, project, TASK.image_url, "the mug")
    scores = MethodScores("lgd", np.array([number, -2], np.float32))
    final = mask(3) if verdict.has_mask else None
    answer = Annotation(number, task, NOW + timedelta(minutes=number), final, cancelled=final is None)
    with database.begin() as session:
        add_alternatives(
            session, task, "ab" * 32, SIZE, offers(version), version=version, method_scores=[scores],
            proposals=masks, now=NOW,
        )  # fmt: skip
        add_correction(session, Correction(answer, verdict), version=version, event_id=None, now=NOW)


def find_newest(database, limit=10, **chosen):
    """The annotations of the newest decisions on suggestions of v1."""
    with database.begin() as session:
        row_ids = find_newest_ranked_decisions(session, "v1", limit, **chosen)
        return [d.correction.annotation.annotation_id for d in find_decisions(session, row_ids)]


def test_the_newest_decisions_on_a_base_and_on_what_was_learned_for_it_are_found(database):
    for number, version in enumerate(("v1", "v1-abcdef", "v10", "v2", "v1"), start=1):
        decide(database, number, version)
    decide(database, 6, verdict=Verdict.SKIPPED)

    assert find_newest(database) == [5, 2, 1]
    assert find_newest(database, limit=2) == [5, 2]


def test_the_decisions_of_one_project_are_found(database):
    decide(database, 1)
    decide(database, 2, project=OTHER_PROJECT)

    assert find_newest(database, project=OTHER_PROJECT) == [2]


def test_every_decision_has_the_proposals_and_scores_of_its_own_task(database):
    for number in (1, 2):
        decide(database, number)
    decide(database, 3, masks=())

    with database.begin() as session:
        decisions = find_decisions(session, find_newest_ranked_decisions(session, "v1", 10))
        third, second, first = find_ranked_proposals(session, decisions)

    assert third is None
    assert first.masks == second.masks == MASKS
    assert (first.scores["lgd"].tolist(), second.scores["lgd"].tolist()) == ([1, -2], [2, -2])


@pytest.mark.parametrize("n_decisions", [1, 7])
def test_a_page_of_decisions_takes_two_queries(database, n_decisions):
    for number in range(1, n_decisions + 1):
        decide(database, number)

    with database.begin() as session:
        decisions = find_decisions(session, find_newest_ranked_decisions(session, "v1", 10))
        with record_statements(session) as statements:
            find_ranked_proposals(session, decisions)

    assert len(decisions) == n_decisions
    assert len(statements) == 2


def test_late_proposals_come_after_those_of_the_image_and_say_their_method(database):
    scores = MethodScores("lgd", np.array([1, 2, 3], np.float32))
    none = MethodScores("verifier", skipped_reason="none of them", absence=1.0)
    with database.begin() as session:
        add_alternatives(
            session, TASK, "ab" * 32, SIZE, offers(), version="v1", method_scores=[scores, none],
            proposals=MASKS, late=[LateProposal(mask(5), "grounder")], now=NOW,
        )  # fmt: skip
        answer = Annotation(1, TASK, NOW, mask(5))
        add_correction(session, Correction(answer, Verdict.REDRAWN), version="v1", event_id=None, now=NOW)
        decisions = find_decisions(session, find_newest_ranked_decisions(session, "v1", 10))
        (found,) = find_ranked_proposals(session, decisions)

    assert (found.masks, found.late) == ((*MASKS, mask(5)), ("grounder",))
    assert found.scores["lgd"].tolist() == [1, 2, 3]
    assert found.absence == {"verifier": 1.0}

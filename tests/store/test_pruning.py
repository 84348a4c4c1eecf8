from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import select

from ris.core.proposals import LateProposal
from ris.core.types import MethodScores
from ris.store.pruning import PrunableRows, find_prunable, prune_rows
from ris.store.records import add_alternatives, find_alternatives, find_explanations, find_proposals
from ris.store.schema import TaskRow
from ris.store.session import Database, upgrade_database
from tests.builders.records import NOW, SIZE, TASK, add, correction, mask, offers

SCORES = [MethodScores("lgd", np.ones(2, np.float32), evidence={"words": "the left mug"})]


@pytest.fixture
def pruned(empty_url):
    upgrade_database(empty_url)
    database = Database.open(empty_url)
    yield database
    database.close()


def answer(database, version, *, minutes, task=TASK, masks=(1, 2)):
    with database.begin() as session:
        add_alternatives(
            session, task, "ab" * 32, SIZE, offers(version), version=version, method_scores=SCORES,
            proposals=[mask(seed) for seed in masks], now=NOW + timedelta(minutes=minutes),
        )  # fmt: skip


def find(database):
    with database.begin() as session:
        return find_prunable(session)


def read(database, version, task=TASK):
    """The number of proposals, of explanations with evidence, and of alternatives of a task's version."""
    with database.begin() as session:
        explained = [e for e in find_explanations(session, task, version) if e.evidence]
        return (
            len(find_proposals(session, task, version)),
            len(explained),
            len(find_alternatives(session, task, version) or ()),
        )


def test_superseded_versions_lose_proposals_and_explanations_and_keep_what_annotators_saw(pruned):
    answer(pruned, "v1", minutes=0, masks=(1, 2))
    answer(pruned, "v2", minutes=1, masks=(3, 4))

    found = find(pruned)
    assert (found.n_tasks, found.n_proposals) == (1, 1)
    assert found.n_explanation_bytes > 0 < found.n_proposal_bytes
    assert sum(prune_rows(pruned)) == 2

    assert read(pruned, "v1") == (0, 0, 3)
    assert read(pruned, "v2") == (2, 1, 3)
    assert find(pruned) == PrunableRows(0, 0, 0, 0)
    assert sum(prune_rows(pruned)) == 0


def test_what_a_decision_refers_to_stays(pruned):
    answer(pruned, "v1", minutes=0)
    answer(pruned, "v2", minutes=1)
    add(pruned, correction(1))  # on alternatives of v1

    assert sum(prune_rows(pruned)) == 0
    assert read(pruned, "v1") == (2, 1, 3)


def test_proposals_that_another_task_names_stay(pruned):
    other = replace(TASK, task_id=8)
    answer(pruned, "v1", minutes=0)
    answer(pruned, "v1", minutes=0, task=other)
    answer(pruned, "v2", minutes=1, masks=(5,))

    assert find(pruned).n_proposals == 0
    assert sum(prune_rows(pruned)) == 1
    assert read(pruned, "v1", other) == (2, 1, 3)


def test_other_words_of_a_task_supersede_nothing(pruned):
    answer(pruned, "v1", minutes=0)
    answer(pruned, "v2", minutes=1, task=replace(TASK, expression="the right mug"))

    assert find(pruned).n_tasks == 0


def test_pruning_that_was_interrupted_goes_on(pruned):
    answer(pruned, "v1", minutes=0)
    answer(pruned, "v2", minutes=1, masks=(3,))
    pages = prune_rows(pruned)
    next(pages)
    pages.close()

    assert find(pruned).n_tasks == 0
    assert sum(prune_rows(pruned)) == 1
    assert read(pruned, "v1") == (0, 0, 3)


def test_late_proposals_go_with_the_others(pruned):
    for version, minutes in (("v1", 0), ("v2", 1)):
        with pruned.begin() as session:
            add_alternatives(
                session, TASK, "ab" * 32, SIZE, offers(version), version=version, method_scores=SCORES,
                proposals=[mask(1)], late=[LateProposal(mask(2), "grounder")],
                now=NOW + timedelta(minutes=minutes),
            )  # fmt: skip

    list(prune_rows(pruned))

    assert (read(pruned, "v1")[0], read(pruned, "v2")[0]) == (0, 2)
    with pruned.begin() as session:
        assert session.scalars(select(TaskRow.late_proposals).order_by(TaskRow.id)).first() is None

"""Which answer counts of several to one task."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ris.core.rle import decode_rle
from ris.core.types import Task, Verdict
from ris.export.resolution import (
    EMPTY_CONSENSUS_REASON,
    NO_CONSENSUS_REASON,
    OUTCOME_REASON,
    UNSETTLED_REASON,
    Candidate,
    resolve_answers,
)
from tests.builders.answers import paint
from tests.builders.decisions import decision
from tests.builders.exported import DecisionList

SETTLED = Task(1, "1.1700000000", "/data/upload/1/a.png", "left mug")


def answer(person, mask, *, minutes=0, settles=None):
    """An answer of a person (None: unknown) with a mask, or None for no referent."""
    made = decision(Verdict.REDRAWN if mask is not None else Verdict.NO_REFERENT, mask)
    annotation = made.correction.annotation
    at = annotation.updated_at + timedelta(minutes=minutes)
    annotation = replace(annotation, annotator=person, updated_at=at)
    return replace(made, correction=replace(made.correction, annotation=annotation)), settles


def resolve(rule, *answers):
    """What counts of the answers to one task: positions of those that count, of the members; reasons."""
    source = DecisionList([made for made, _ in answers])
    group = [
        Candidate(place, listed._replace(settles=settles))
        for place, (listed, (_, settles)) in enumerate(zip(source.list_answers(), answers, strict=True))
    ]
    (one,) = resolve_answers([group], rule, source)
    return [kept.place for kept in one.kept], [member.place for member in one.members], dict(one.reasons)


CONSENSUS_RULES = ["consensus", "consensus-staple"]


@pytest.mark.parametrize("rule", CONSENSUS_RULES)
def test_a_consensus_is_made_of_those_who_mean_the_same_and_the_newest_stands_for_it(rule):
    kept, members, reasons = resolve(
        rule, answer(1, paint(0, 4)), answer(2, paint(0, 5), minutes=1), answer(3, paint(7, 9), minutes=2)
    )

    assert (kept, members) == ([1], [1, 0])
    assert reasons == {0: f"it is part of the consensus ({rule})", 2: f"it is not in the consensus ({rule})"}


@pytest.mark.parametrize("rule", CONSENSUS_RULES)
def test_without_a_consensus_nothing_counts(rule):
    kept, _, reasons = resolve(rule, answer(1, paint(0, 4)), answer(2, None))

    assert kept == []
    assert reasons == {0: NO_CONSENSUS_REASON, 1: NO_CONSENSUS_REASON}


@pytest.mark.parametrize("rule", CONSENSUS_RULES)
def test_people_can_agree_that_there_is_no_referent(rule):
    kept, members, _ = resolve(rule, answer(1, None), answer(2, None, minutes=1), answer(3, paint(0, 4)))

    assert (kept, members) == ([1], [1, 0])


@pytest.mark.parametrize("rule", [*CONSENSUS_RULES, "adjudicated"])
def test_an_answer_alone_counts(rule):
    assert resolve(rule, answer(None, paint(0, 4))) == ([0], [], {})


@pytest.mark.parametrize("rule", CONSENSUS_RULES)
def test_of_a_person_the_newest_answer_is_in_the_consensus(rule):
    twice = [answer(1, paint(7, 9)), answer(1, paint(7, 9), minutes=1), answer(1, paint(0, 4), minutes=2)]

    kept, members, _ = resolve(rule, *twice, answer(2, paint(0, 4), minutes=3))

    assert (kept, members) == ([3], [3, 2])


@pytest.mark.parametrize("rule", [*CONSENSUS_RULES, "adjudicated"])
def test_answers_without_a_known_author_are_compared_with_nothing(rule):
    unknown = [answer(None, paint(0, 4)), answer(None, paint(7, 9), minutes=1)]

    assert resolve(rule, *unknown)[:2] == ([1], [])
    assert resolve(rule, *unknown, answer(5, paint(2, 3)))[:2] == ([2], [])


def test_a_chain_of_masks_without_a_common_pixel_is_no_mask():
    """Each of eight overlaps the next by half; no pixel is in more than three."""
    chain = [answer(person, paint(person, person + 3, (1, 12))) for person in range(8)]

    kept, _, reasons = resolve("consensus", *chain)

    assert kept == []
    assert set(reasons.values()) == {EMPTY_CONSENSUS_REASON}


def test_a_task_on_which_people_agree_needs_no_adjudication():
    agreed = [answer(1, paint(0, 4)), answer(2, paint(0, 5), minutes=1)]

    assert resolve("adjudicated", *agreed)[0] == [1]


def test_a_task_on_which_people_disagree_counts_once_it_is_settled():
    disputed = [answer(1, paint(0, 4)), answer(2, paint(6, 9), minutes=5)]
    outcome = answer(9, paint(0, 4), minutes=1, settles=SETTLED)

    assert resolve("adjudicated", *disputed) == ([], [], {0: UNSETTLED_REASON, 1: UNSETTLED_REASON})
    reason = "another answer to the same task counts (adjudicated)"
    assert resolve("adjudicated", *disputed, outcome) == ([2], [], {0: reason, 1: reason})


def test_of_several_outcomes_the_newest_counts():
    outcomes = [answer(9, paint(0, 4), minutes=2, settles=SETTLED), answer(8, None, settles=SETTLED)]

    assert resolve("adjudicated", *outcomes)[0] == [0]


@pytest.mark.parametrize("rule", ["latest", "majority", *CONSENSUS_RULES])
def test_an_outcome_counts_only_where_the_adjudicated_answers_are_asked_for(rule):
    outcome = answer(9, paint(6, 9), minutes=9, settles=SETTLED)

    kept, _, reasons = resolve(rule, answer(1, paint(0, 4)), outcome)

    assert kept == [0]
    assert reasons == {1: OUTCOME_REASON}
    assert resolve(rule, outcome) == ([], [], {0: OUTCOME_REASON})
    assert resolve("all", answer(1, paint(0, 4)), outcome)[0] == [0, 1]


def test_the_masks_of_many_tasks_are_read_together():
    source = DecisionList([answer(i % 2, paint(0, 4))[0] for i in range(120)])
    listed = list(source.list_answers())
    groups = [[Candidate(i, listed[i]), Candidate(i + 1, listed[i + 1])] for i in range(0, 120, 2)]

    assert len(list(resolve_answers(groups, "consensus", source))) == 60
    assert source.sizes == [120]
    assert decode_rle(source.decisions[0].correction.annotation.mask).sum() == 4

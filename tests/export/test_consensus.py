"""The mask of a consensus takes the place of the mask of the answer that stands for it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ris.core.consensus import find_majority_mask, find_staple_mask
from ris.core.rle import decode_rle, encode_rle
from ris.core.types import Verdict
from ris.export.consensus import ConsensusFile
from tests.builders.answers import paint
from tests.builders.decisions import decision
from tests.builders.exported import DecisionList

THREE = [paint(0, 4), paint(0, 5), paint(2, 5)]


def get_columns(made):
    return decode_rle(made.correction.annotation.mask)[0].nonzero()[0].tolist()


def make_source(masks):
    verdicts = [Verdict.NO_REFERENT if mask is None else Verdict.REDRAWN for mask in masks]
    return DecisionList(
        [decision(v, mask, i) for i, (v, mask) in enumerate(zip(verdicts, masks, strict=True))]
    )


@pytest.mark.parametrize(
    ("rule", "to_mask"), [("consensus", find_majority_mask), ("consensus-staple", find_staple_mask)]
)
def test_a_sample_has_the_mask_of_its_consensus_and_all_else_of_its_answer(rule, to_mask):
    source = make_source([*THREE, paint(7, 9)])
    consensus = ConsensusFile(rule)
    consensus.add(1, [1, 0, 2])

    alone, merged = consensus.wrap(source.find_decisions_of, source.find_answers)([3, 1])

    assert alone == source.find_decisions_of([3])[0]
    assert get_columns(merged) == to_mask(THREE)[0].nonzero()[0].tolist()
    assert merged.alternatives == source.decisions[1].alternatives
    assert merged.correction.annotation.annotation_id == 1


def test_without_a_consensus_answers_are_read_as_they_are():
    source = make_source(THREE)

    assert ConsensusFile("latest").wrap(source.find_answers, source.find_answers) == source.find_answers


def test_a_consensus_that_there_is_no_referent_has_no_mask():
    source = make_source([None, None])
    consensus = ConsensusFile("consensus")
    consensus.add(0, [0, 1])

    assert consensus.wrap(source.find_answers, source.find_answers)([0]) == source.find_answers([0])


@settings(deadline=None)
@given(st.lists(st.integers(1, 90), min_size=1, max_size=12))
def test_however_many_answers_each_has_some_hundred_are_in_memory(sizes):
    source = make_source([paint(i % 5, i % 5 + 5) for i in range(sum(sizes))])
    consensus, samples, start = ConsensusFile("consensus"), [], 0
    for size in sizes:
        consensus.add(start, list(range(start, start + size)))
        samples.append((start, size))
        start += size

    found = consensus.wrap(source.find_answers, source.find_answers)([sample for sample, _ in samples])

    for made, (first, size) in zip(found, samples, strict=True):
        members = [
            decode_rle(one.correction.annotation.mask) for one in source.decisions[first : first + size]
        ]
        assert made.correction.annotation.mask == encode_rle(find_majority_mask(members))
    assert max(source.sizes[1:]) < 200 + 90

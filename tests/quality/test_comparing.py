import numpy as np

from ris.quality.comparing import compare_answers, find_consensus
from tests.builders.answers import answer_group, paint


def test_answers_are_compared_in_pairs():
    compared = compare_answers(answer_group(paint(0, 4), paint(2, 6), None, None, "skipped"))

    assert compared.ious[0, 1] == compared.ious[1, 0] == 2 / 6
    assert compared.stances == (0, 0, 1, 1, 2)
    np.testing.assert_array_equal(
        compared.distances[:4, :4].round(6),
        np.array([[0, 4 / 6, 1, 1], [4 / 6, 0, 1, 1], [1, 1, 0, 0], [1, 1, 0, 0]]).round(6),
    )
    assert np.isnan(compared.distances[4]).all()


def test_masks_that_overlap_by_half_mean_the_same_also_through_others():
    compared = compare_answers(
        answer_group(paint(0, 4), paint(1, 5), paint(2, 6), paint(8, 9), None, "skipped")
    )

    first, second, third, other, none, skipped = compared.referents
    assert first == second == third
    assert len({first, other, none, skipped}) == 4
    assert skipped == -1


def test_masks_of_different_sizes_have_nothing_in_common():
    compared = compare_answers(answer_group(paint(0, 4), paint(0, 4, (2, 10))))

    assert compared.ious[0, 1] == compared.boundary_ious[0, 1] == 0
    assert compared.distances[0, 1] == 1


def test_the_boundary_iou_is_stricter_than_the_iou():
    one, two = paint(20, 180, (200, 200)), paint(10, 190, (200, 200))

    compared = compare_answers(answer_group(one, two))

    assert compared.ious[0, 1] == 160 / 180
    assert compared.boundary_ious[0, 1] < 0.5


def test_the_consensus_is_what_more_than_half_mean():
    consensus = find_consensus(compare_answers(answer_group(paint(0, 4), paint(0, 5), None)))

    assert consensus.has_referent
    assert consensus.members == (0, 1)
    assert consensus.majority.tolist() == paint(0, 4).tolist()
    assert consensus.staple is None


def test_three_masks_have_a_consensus_by_staple_in_the_frame_of_the_image():
    consensus = find_consensus(compare_answers(answer_group(paint(2, 6), paint(2, 6), paint(2, 7))))

    assert consensus.staple.mask.tolist() == paint(2, 6).tolist()
    assert consensus.staple.sensitivity.round(3).tolist() == [1, 1, 1]
    assert consensus.staple.specificity.round(3).tolist() == [1, 1, 0]


def test_people_can_agree_that_there_is_no_referent():
    consensus = find_consensus(compare_answers(answer_group(None, None, paint(0, 4), "skipped")))

    assert not consensus.has_referent
    assert consensus.members == (0, 1)
    assert consensus.majority is None


def test_half_of_the_people_are_no_consensus():
    assert find_consensus(compare_answers(answer_group(paint(0, 4), None))) is None
    assert find_consensus(compare_answers(answer_group("skipped", "skipped"))) is None

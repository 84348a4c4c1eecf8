from datetime import UTC, datetime

import numpy as np
import pytest

from ris.core import rle
from ris.core.types import Alternative, Annotation, MethodScore, Suggestion, Task, Verdict
from ris.core.verdict import judge_annotation

TASK = Task(task_id=1, project="1.1", image_url="/data/upload/1/a.png", expression="the left mug")


def square(x, y, side, size=(20, 20)):
    mask = np.zeros(size, np.bool_)
    mask[y : y + side, x : x + side] = True
    return rle.encode_rle(mask)


def offer(rank, mask, region_id=None):
    methods = {"global-local": MethodScore(1.0, rank)}
    return Alternative(region_id or f"r{rank}", Suggestion(rank, 0.5, mask, (0, 0, 1, 1), methods, "tiny-1"))


def annotation(mask, *region_ids, **more):
    return Annotation(1, TASK, datetime(2026, 1, 1, tzinfo=UTC), mask, region_ids, **more)


OFFERS = (offer(0, square(0, 0, 6)), offer(1, square(8, 0, 6)), offer(2, square(0, 8, 6)))


def test_an_unchanged_mask_is_accepted_at_its_rank():
    correction = judge_annotation(annotation(square(8, 0, 6), "r1"), OFFERS)

    assert (correction.verdict, correction.rank, correction.iou) == (Verdict.ACCEPTED, 1, 1.0)


def test_an_unchanged_mask_is_accepted_even_without_our_region_id():
    correction = judge_annotation(annotation(square(8, 0, 6), "something-else"), OFFERS)

    assert (correction.verdict, correction.rank) == (Verdict.ACCEPTED, 1)


def test_of_two_equal_offers_the_named_one_is_accepted():
    twice = (offer(0, square(0, 0, 6), "old-0"), offer(1, square(0, 0, 6), "new-1"))

    assert judge_annotation(annotation(square(0, 0, 6), "new-1"), twice).rank == 1


def test_a_changed_mask_under_our_region_id_is_edited_with_its_iou():
    correction = judge_annotation(annotation(square(0, 0, 5), "r0"), OFFERS)

    assert (correction.verdict, correction.rank, correction.iou) == (
        Verdict.EDITED,
        0,
        pytest.approx(25 / 36),
    )


def test_a_second_mask_beside_an_untouched_one_is_an_edit_of_it():
    both = rle.encode_rle(rle.decode_rle(square(0, 0, 6)) | rle.decode_rle(square(14, 14, 3)))

    correction = judge_annotation(annotation(both, "r0", "drawn"), OFFERS)

    assert (correction.verdict, correction.rank, correction.iou) == (
        Verdict.EDITED,
        0,
        pytest.approx(36 / 45),
    )


def test_a_mask_without_our_region_id_is_redrawn_and_compared_with_the_most_alike():
    correction = judge_annotation(annotation(square(0, 1, 6), "drawn"), OFFERS)

    assert (correction.verdict, correction.rank, correction.iou) == (
        Verdict.REDRAWN,
        None,
        pytest.approx(30 / 42),
    )


def test_a_mask_where_nothing_was_on_offer_is_redrawn_without_an_iou():
    correction = judge_annotation(annotation(square(0, 1, 6), "drawn"), ())

    assert (correction.verdict, correction.rank, correction.iou) == (Verdict.REDRAWN, None, None)


def test_an_answer_without_a_pixel_is_no_answer():
    with pytest.raises(ValueError, match="a mask has pixels, or there is none"):
        annotation(rle.encode_rle(np.zeros((20, 20), np.bool_)))


def test_no_mask_means_no_referent():
    correction = judge_annotation(annotation(None), OFFERS)

    assert (correction.verdict, correction.annotation.mask) == (Verdict.NO_REFERENT, None)


def test_a_skipped_task_is_no_acceptance():
    correction = judge_annotation(annotation(square(0, 0, 6), "r0", cancelled=True), OFFERS)

    assert (correction.verdict, correction.rank, correction.iou) == (Verdict.SKIPPED, None, None)


def test_a_mask_of_another_size_than_the_offers_is_redrawn_and_not_compared():
    correction = judge_annotation(annotation(square(0, 0, 6, size=(30, 30)), "r0"), OFFERS)

    assert (correction.verdict, correction.iou) == (Verdict.REDRAWN, None)


def test_parent_prediction_and_origin_are_no_proof_of_acceptance():
    correction = judge_annotation(annotation(square(3, 3, 4), "drawn", parent_prediction=610), OFFERS)

    assert correction.verdict == Verdict.REDRAWN


def test_an_edit_says_what_was_added_and_taken_away_and_how_well_the_edges_fit():
    shifted = judge_annotation(annotation(square(2, 0, 6), "r0"), OFFERS)

    assert shifted.verdict == Verdict.EDITED
    assert (shifted.edit.added_px, shifted.edit.removed_px) == (12, 12)
    assert shifted.edit.boundary_iou == pytest.approx(8 / 32)


def test_only_an_edit_has_changed_pixels():
    answers = (annotation(square(8, 0, 6), "r1"), annotation(square(3, 3, 4), "drawn"), annotation(None))

    assert [judge_annotation(answer, OFFERS).edit for answer in answers] == [None, None, None]

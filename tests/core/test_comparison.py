import numpy as np
import pytest

from ris.core.comparison import compare_answer
from ris.core.rle import encode_rle
from tests.builders.evaluated import HALF, LEFT, OFFERS, RIGHT, SIZE, offer
from tests.builders.masks import rectangle


def test_the_overlap_of_each_alternative_is_in_pixels():
    compared = compare_answer(encode_rle(HALF), OFFERS)

    assert compared.overlaps == ((20, 40), (0, 60))
    assert compared.ious == (0.5, 0.0)
    assert (compared.n_shown, compared.score, compared.places) == (2, 1.0, ())


def test_overlaps_are_those_of_the_pixels_of_any_shape():
    rng = np.random.default_rng(0)
    one, two = rng.random(SIZE) > 0.5, rng.random(SIZE) > 0.5

    compared = compare_answer(encode_rle(one), (offer(0, two),))

    assert compared.overlaps == ((int((one & two).sum()), int((one | two).sum())),)


def test_alternatives_of_another_size_have_nothing_in_common_with_the_mask():
    large = offer(0, rectangle((20, 20), 0, 0, 4, 10))

    assert compare_answer(encode_rle(LEFT), (large,)).overlaps == ((0, 80),)


def test_without_alternatives_the_mask_itself_is_missed():
    compared = compare_answer(encode_rle(RIGHT), ())

    assert (compared.n_shown, compared.overlaps, compared.ious, compared.score) == (0, ((0, 40),), (), None)


def test_without_a_mask_nothing_overlaps():
    assert (compare_answer(None, OFFERS).overlaps, compare_answer(None, OFFERS).n_shown) == ((), 2)


def test_a_favourite_is_the_alternative_that_a_method_ranked_best():
    assert compare_answer(None, OFFERS).favourites == {"iterprime": 1, "lgd": 0}
    assert compare_answer(None, (offer(0, LEFT, lgd=1), offer(1, RIGHT, lgd=1))).favourites == {"lgd": 0}


@pytest.mark.parametrize(("places", "expected"), [([1, 0], (1, 0)), ([None, None], ())])
def test_places_are_kept_where_the_order_was_random(places, expected):
    shown = [
        type(one)(one.region_id, one.suggestion, place) for one, place in zip(OFFERS, places, strict=True)
    ]

    assert compare_answer(None, shown).places == expected

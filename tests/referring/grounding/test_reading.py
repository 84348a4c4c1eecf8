import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris.referring.grounding.reading import Reading, compute_resized_size, is_far_outside
from tests.builders.vlm_answers import resize_by_28


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_the_sides_are_rounded_as_qwen_does(height, width):
    assert compute_resized_size((height, width)) == resize_by_28(height, width)


@pytest.mark.parametrize("size", [(224, 448), (672, 1120), (28, 112)])
def test_multiples_of_28_stay_as_they_are(size):
    assert compute_resized_size(size) == size


@pytest.mark.parametrize(
    ("reading", "numbers"),
    [
        (Reading(), (250, 750)),
        (Reading(is_row_first=True), (750, 250)),
        (Reading("sent"), (100, 150)),
        (Reading("padded"), (250, 375)),
        (Reading("centred"), (250, 625)),
        (Reading(extent=100, offset=0.5), (24.5, 74.5)),
        (Reading(gain=(0.5, 2.0), shift=(0.1, -0.1)), (225, 1400)),
    ],
)
def test_the_same_point_is_read_in_every_frame(reading, numbers):
    ((x, y),) = reading.to_shares(numbers, (200, 400))

    assert (round(x, 6), round(y, 6)) == (0.25, 0.75)


def test_rounding_is_not_far_outside():
    assert not is_far_outside((1.001, -0.001))
    assert is_far_outside((1.2, 0.5))


@pytest.mark.parametrize(
    ("reading", "words"),
    [
        (Reading(), "0 to 1000 of width and height, x before y"),
        (Reading(extent=1024, is_row_first=True), "0 to 1024 of width and height, y before x"),
        (Reading("sent"), "pixels of the picture as sent, x before y"),
        (Reading("centred"), "0 to 1000 of the longest side, centred, x before y"),
    ],
)
def test_a_reading_says_what_it_is(reading, words):
    assert str(reading) == words

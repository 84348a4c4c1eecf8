import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ris.quality.image_hashes import HASH_BITS, MAX_DISTANCE, compute_image_hash, find_similar
from ris.tinyworld.samples import make_samples

SAMPLES = [sample.pixels for sample in make_samples(12)]


@pytest.mark.parametrize(
    "change",
    [
        lambda p: cv2.resize(p, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
        lambda p: cv2.resize(p, None, fx=2, fy=1.5),
        lambda p: np.clip(p.astype(np.int16) + 15, 0, 255).astype(np.uint8),
        lambda p: cv2.imdecode(cv2.imencode(".jpg", p, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], cv2.IMREAD_COLOR),
    ],
    ids=["half", "stretched", "brighter", "compressed"],
)
def test_a_changed_copy_is_like_its_original_and_like_no_other(change):
    hashes = [compute_image_hash(pixels) for pixels in (*SAMPLES, *map(change, SAMPLES))]

    found = [(number, other) for number, other, _ in find_similar(hashes)]

    assert found == [(number + len(SAMPLES), number) for number in range(len(SAMPLES))]


@settings(max_examples=50)
@given(st.integers(0, 2**32), st.integers(0, 40))
def test_the_nearest_of_all_is_found_up_to_the_limit(seed, n_flipped):
    rng = np.random.default_rng(seed)
    hashes = list(rng.random((30, HASH_BITS)) > 0.5)
    copy = hashes[7].copy()
    copy[rng.choice(HASH_BITS, n_flipped, replace=False)] ^= True

    assert list(find_similar([*hashes, copy])) == ([(30, 7, n_flipped)] if n_flipped <= MAX_DISTANCE else [])


def test_equal_pictures_are_like_the_first_of_them():
    one = compute_image_hash(SAMPLES[0])

    assert list(find_similar([one] * 4)) == [(1, 0, 0), (2, 0, 0), (3, 0, 0)]


def test_a_picture_of_one_colour_has_a_hash():
    assert compute_image_hash(np.zeros((3, 500, 3), np.uint8)).shape == (HASH_BITS,)


def test_no_pictures_are_like_none():
    assert list(find_similar([])) == []

import numpy as np
import pytest

from ris.core.types import Image, MethodScores, Verdict


def test_an_images_pixels_cannot_be_written_to():
    image = Image(np.zeros((2, 3, 3), np.uint8), "ab")

    with pytest.raises(ValueError, match="read-only"):
        image.pixels[0, 0, 0] = 1
    assert image.size == (2, 3)


def test_images_that_never_were_files_are_told_apart_by_size_and_pixels():
    wide, tall = np.zeros((1, 2, 3), np.uint8), np.zeros((2, 1, 3), np.uint8)

    assert Image.from_pixels(wide).digest == Image.from_pixels(wide.copy()).digest
    assert Image.from_pixels(wide).digest != Image.from_pixels(tall).digest


def test_a_method_that_was_left_out_has_no_scores():
    assert len(MethodScores("lgd", skipped_reason="no describer").scores) == 0


def test_only_verdicts_with_a_mask_that_was_meant_say_so():
    assert [v.value for v in Verdict if v.has_mask] == ["accepted", "edited", "redrawn"]

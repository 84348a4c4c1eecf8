from dataclasses import replace

import numpy as np
import pytest

from ris.core import rle
from ris.core.proposals import Prompts
from ris.pretrained.catalog.presets import TINY
from ris.pretrained.masks.clicks import make_click_proposals, replace_mask_by_click, to_prompt_logits
from tests.builders.masks import rectangle

SIZE = (40, 60)
ONE = {"points": np.array([[3, 4]], np.float32), "positive": np.array([False])}


def test_a_mask_is_pointed_at_in_its_middle():
    prompts = Prompts(SIZE, mask=rle.encode_rle(rectangle(SIZE, 20, 10, 31, 21)), **ONE)

    pointed = replace_mask_by_click(prompts)

    assert pointed.mask is None
    assert pointed.points.tolist() == [[3, 4], [25, 15]]
    assert pointed.positive.tolist() == [False, True]


def test_without_a_mask_nothing_is_pointed_at():
    prompts = Prompts(SIZE, **ONE)

    assert replace_mask_by_click(prompts) is prompts


def test_a_mask_becomes_logits_beside_padding_that_is_not_meant():
    logits = to_prompt_logits(rle.encode_rle(rectangle(SIZE, 0, 0, 30, 40)), 12, (8, 12))

    assert (logits.shape, logits.dtype) == ((1, 12, 12), np.float32)
    assert (logits[0, :8, :5] > 0).all()
    assert (logits[0, :8, 7:] < 0).all()
    assert (logits[0, 8:] == -8).all()


def test_answers_come_by_trust_without_empty_ones():
    masks = np.array([rectangle(SIZE, 0, 0, 10, 10), np.zeros(SIZE, np.bool_), rectangle(SIZE, 5, 5, 30, 30)])
    settings = replace(TINY.proposals, speck_share=0.0)

    found = make_click_proposals(masks, np.array([0.2, 0.9, 1.4], np.float32), SIZE, settings)

    np.testing.assert_array_equal(found.masks, masks[[2, 0]])
    assert found.quality.tolist() == pytest.approx([1.0, 0.2])

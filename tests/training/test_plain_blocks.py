"""The training's own arithmetic is that of the library and of the pipeline."""

import numpy as np
import pytest
import torch
from open_clip.model import CLIP

from ris.pretrained.clip import vit as clip
from training import plain_blocks

VISION = {"image_size": 32, "patch_size": 8, "width": 64, "layers": 4, "head_width": 32, "no_ln_pre": True}
TEXT = {
    "context_length": 10,
    "vocab_size": 40,
    "width": 64,
    "heads": 2,
    "layers": 2,
    "pool_type": "eos",
    "eos_id": 3,
}


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(1)
    model = CLIP(32, VISION, TEXT).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


@torch.no_grad()
def test_the_plain_feature_is_the_librarys(model):
    pictures = torch.randn(3, 3, 32, 32)

    got = plain_blocks.run_last_blocks(
        model.visual, plain_blocks.run_first_blocks(model.visual, pictures, 2), 2
    )

    torch.testing.assert_close(got, model.encode_image(pictures), atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_one_zero_token_stands_for_all_zeroed_patches(model):
    """Fractions, masks of all patches and masks of none included, for pictures of their own."""
    rng = np.random.default_rng(0)
    grids = (rng.random((6, 16)) * (rng.random((6, 16)) > 0.6)).astype(np.float32)
    grids[1], grids[2] = 1, 0
    tokens = plain_blocks.run_first_blocks(model.visual, torch.randn(2, 3, 32, 32), 2)
    picture = torch.tensor([0, 1, 0, 1, 1, 0])

    got = plain_blocks.see_through_compact(model.visual, tokens, picture, torch.tensor(grids), 2)

    for i, p in enumerate(picture.tolist()):
        wanted = clip.see_through(model.visual, tokens[p : p + 1], torch.tensor(grids[i : i + 1]), 2)[0]
        torch.testing.assert_close(got[i], wanted, atol=2e-5, rtol=1e-4)


@torch.no_grad()
def test_texts_cut_at_their_end_are_the_librarys(model):
    ids = torch.tensor([[2, 7, 8, 3, 0, 0, 0, 0, 0, 0], [2, 9, 10, 11, 12, 13, 3, 0, 0, 0]])

    got = plain_blocks.encode_text(model, ids, 3)

    torch.testing.assert_close(got, model.encode_text(ids), atol=1e-5, rtol=1e-5)


def test_the_schedule_rises_to_one_and_falls_to_almost_nothing():
    values = [plain_blocks.compute_learning_rate_factor(step, 1000) for step in range(1001)]

    assert max(values) == pytest.approx(1, abs=0.01)
    assert values[0] < 0.03
    assert values[-1] < 0.01

import pytest
import torch

from ris.pretrained.masks.sam_decoder import (
    compute_mask_logits,
    make_shared_state,
    predict_iou,
    run_transformer,
)
from tests.pretrained.toy_sam import GRID, SIDE, WIDTH, random_sam


@pytest.fixture(scope="module")
def decoded():
    """Five clicks on one image: the library's masks and scores, and what ours are made from."""
    model = random_sam()
    embedding = torch.randn(1, WIDTH, GRID, GRID)
    points = (torch.rand(5, 1, 2) * SIDE, torch.ones(5, 1, dtype=torch.int))
    with torch.inference_mode():
        clicks, dense = model.prompt_encoder(points=points, boxes=None, masks=None)
        theirs = model.mask_decoder(embedding, model.prompt_encoder.get_dense_pe(), clicks, dense, True)
        ours = run_transformer(model.mask_decoder, make_shared_state(model, embedding), clicks)
    return model.mask_decoder, ours, theirs


def test_predicted_ious_are_the_librarys(decoded):
    decoder, (tokens, _), (_, scores) = decoded

    with torch.inference_mode():
        ours = predict_iou(decoder, tokens)

    torch.testing.assert_close(ours, scores, rtol=1e-4, atol=1e-5)


def test_the_maps_are_the_librarys(decoded):
    decoder, (tokens, keys), (maps, _) = decoded

    with torch.inference_mode():
        ours = compute_mask_logits(decoder, tokens, keys, torch.ones(5, 3, dtype=torch.bool))

    torch.testing.assert_close(ours, maps.flatten(0, 1), rtol=1e-4, atol=1e-5)


def test_only_the_maps_that_are_wanted_are_made_in_their_order(decoded):
    decoder, (tokens, keys), (maps, _) = decoded
    wanted = torch.zeros(5, 3, dtype=torch.bool)
    wanted[1, [0, 2]] = wanted[4, 1] = True

    with torch.inference_mode():
        ours = compute_mask_logits(decoder, tokens, keys, wanted)
        none = compute_mask_logits(decoder, tokens, keys, torch.zeros_like(wanted))

    torch.testing.assert_close(ours, maps[wanted], rtol=1e-4, atol=1e-5)
    assert none.shape == (0, 4 * GRID, 4 * GRID)


def test_a_click_answers_the_same_alone_and_among_others():
    model = random_sam(2)
    embedding, clicks = torch.randn(1, WIDTH, GRID, GRID), torch.randn(3, 2, WIDTH)

    with torch.inference_mode():
        ground = make_shared_state(model, embedding)
        together, _ = run_transformer(model.mask_decoder, ground, clicks)
        alone, _ = run_transformer(model.mask_decoder, ground, clicks[1:2])

    torch.testing.assert_close(together[1:2], alone, rtol=1e-4, atol=1e-5)

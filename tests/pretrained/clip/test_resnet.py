"""The ResNet path of Global-Local CLIP against its formulas written out, under random weights."""

import numpy as np
import open_clip
import pytest
import torch

from ris.errors import WeightsError
from ris.pretrained.clip.resnet import ClipResNetEncoder
from ris.pretrained.clip.vit import ClipEncoder

SIDE = 96


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(0)
    model = open_clip.CLIP(
        32,
        {"image_size": SIDE, "layers": [1, 2, 1, 1], "width": 8, "patch_size": None, "head_width": 64},
        {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
    )
    with torch.no_grad():
        for name, parameter in model.visual.named_parameters():
            if (
                "bn" in name
            ):  # the last norm of each block starts at nought, which would hide its convolutions
                parameter.uniform_(0.5, 1.5)
    return ClipResNetEncoder(model, open_clip.get_tokenizer("RN50"))


def pictures(n, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 3, SIDE, SIDE)).astype(np.float32)


def random_grids(n, seed=1):
    rng = np.random.default_rng(seed)
    grids = (rng.random((n, 3, 3)) * (rng.random((n, 3, 3)) > 0.3)).astype(np.float32)
    grids[0], grids[1] = 1, 0
    return grids


def array(parameter):
    return parameter.detach().numpy().astype(np.float64)


def oracle_pooling(pool, located):
    """CLIP's attention pooling of [C, G, G], a head at a time, for the query of the mean alone."""
    places = located.reshape(len(located), -1).T
    tokens = np.concatenate([places.mean(0, keepdims=True), places]) + array(pool.positional_embedding)
    q = tokens[0] @ array(pool.q_proj.weight).T + array(pool.q_proj.bias)
    k = tokens @ array(pool.k_proj.weight).T + array(pool.k_proj.bias)
    v = tokens @ array(pool.v_proj.weight).T + array(pool.v_proj.bias)
    mixed = []
    for part in np.split(np.arange(len(q)), pool.num_heads):
        weights = np.exp(k[:, part] @ q[part] / np.sqrt(len(part)))
        mixed.append(weights / weights.sum() @ v[:, part])
    return array(pool.c_proj.weight) @ np.concatenate(mixed) + array(pool.c_proj.bias)


def map_before_pooling(encoder, picture):
    """What the library's own forward hands its pooling."""
    handed = []
    pool = encoder.model.visual.attnpool
    hook = pool.register_forward_pre_hook(lambda module, given: handed.append(given[0]))
    with torch.inference_mode():
        encoder.model.encode_image(torch.tensor(picture)[None])
    hook.remove()
    return handed[0][0].numpy().astype(np.float64)


def test_the_masked_feature_is_that_of_the_formula(encoder):
    picture, grids = pictures(1)[0], random_grids(5)

    got = encoder.encode_masked(picture, grids, first_masked_block=0)

    plain = map_before_pooling(encoder, picture)
    located = plain / np.linalg.norm(plain, axis=0)
    wanted = [oracle_pooling(encoder.model.visual.attnpool, located * grid) for grid in grids]
    np.testing.assert_allclose(got, wanted, atol=1e-5)
    assert np.abs(got[0] - got[2]).max() > 1e-3


def test_plain_pictures_are_the_librarys_raw_features(encoder):
    with torch.inference_mode():
        whole = encoder.model.encode_image(torch.tensor(pictures(3))).numpy()

    np.testing.assert_allclose(encoder.encode_images(pictures(3)), whole, atol=1e-6)


def test_masked_never_is_masked_by_ones(encoder):
    picture, grids = pictures(1)[0], random_grids(3)

    got = encoder.encode_masked(picture, grids, first_masked_block=encoder.n_blocks)

    ones = encoder.encode_masked(picture, np.ones((3, 3, 3), np.float32), first_masked_block=0)
    np.testing.assert_array_equal(got, ones)


def test_masks_one_by_one_give_what_they_give_together_beyond_a_batch(encoder):
    picture, grids = pictures(1)[0], random_grids(70)

    together = encoder.encode_masked(picture, grids, first_masked_block=0)

    alone = [encoder.encode_masked(picture, grids[i : i + 1], first_masked_block=0)[0] for i in (0, 33, 69)]
    np.testing.assert_allclose(together[[0, 33, 69]], alone, atol=1e-5)


def test_the_map_is_made_once_for_all_masks(encoder):
    seen = []
    hook = encoder.model.visual.layer4.register_forward_hook(lambda _, given, made: seen.append(len(made)))
    encoder.encode_masked(pictures(1)[0], random_grids(70), first_masked_block=0)
    hook.remove()

    assert seen == [1]


def test_nothing_to_encode_gives_no_rows(encoder):
    assert encoder.encode_images(pictures(0)).shape == (0, 32)
    assert encoder.encode_texts([]).shape == (0, 32)
    nothing = np.zeros((0, 3, 3), np.float32)
    assert encoder.encode_masked(pictures(1)[0], nothing, first_masked_block=0).shape == (0, 32)


def test_the_sizes_are_those_of_a_map_a_thirty_second_of_the_picture(encoder):
    assert (encoder.input_size, encoder.grid_size, encoder.n_blocks) == (96, 3, 1)


def test_each_kind_refuses_the_other(encoder):
    with pytest.raises(WeightsError, match="needs a square ViT, got ModifiedResNet"):
        ClipEncoder(encoder.model, encoder.tokenizer)
    vit = {"image_size": 32, "layers": 1, "width": 64, "patch_size": 8}
    text = {"context_length": 8, "vocab_size": 64, "width": 32, "heads": 2, "layers": 1}
    with pytest.raises(WeightsError, match="needs CLIP's own ResNet, got VisionTransformer"):
        ClipResNetEncoder(open_clip.CLIP(32, vit, text), encoder.tokenizer)

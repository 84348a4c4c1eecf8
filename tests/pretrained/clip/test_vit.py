import json
import shutil

import numpy as np
import open_clip
import pytest
import torch
from safetensors.torch import load_file, save_file

from ris.errors import WeightsError
from ris.pretrained.catalog.presets import TINY_FOLDER
from ris.pretrained.clip.vit import ClipEncoder


@pytest.fixture(scope="module")
def encoder():
    return ClipEncoder.load(TINY_FOLDER / "clip")


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(TINY_FOLDER / "clip", tmp_path / "clip")


@pytest.mark.parametrize("name", ["open_clip_config.json", "open_clip_model.safetensors", "tokenizer.json"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()

    with pytest.raises(WeightsError, match=f"lacks .*{name}"):
        ClipEncoder.load(folder)


def test_a_truncated_file_is_no_model(folder):
    weights = folder / "open_clip_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])

    with pytest.raises(WeightsError, match="damaged"):
        ClipEncoder.load(folder)


def test_weights_that_lack_a_layer_are_refused_and_never_made_up(folder):
    weights = folder / "open_clip_model.safetensors"
    state = load_file(weights)
    del state["visual.conv1.weight"]
    save_file(state, weights)

    with pytest.raises(WeightsError, match=r"damaged.*visual\.conv1\.weight"):
        ClipEncoder.load(folder)


def test_a_config_of_another_shape_is_refused(folder):
    config = json.loads((folder / "open_clip_config.json").read_text())
    config["model_cfg"]["vision_cfg"]["layers"] = 5
    (folder / "open_clip_config.json").write_text(json.dumps(config))

    with pytest.raises(WeightsError, match="damaged"):
        ClipEncoder.load(folder)


def test_nothing_to_encode_gives_no_rows(encoder):
    side, grid = encoder.input_size, encoder.grid_size
    nothing = np.zeros((0, 3, side, side), np.float32)

    assert encoder.encode_images(nothing).shape == (0, 192)
    assert encoder.encode_texts([]).shape == (0, 192)
    masked = encoder.encode_masked(
        np.zeros((3, side, side), np.float32), np.zeros((0, grid, grid), np.float32), first_masked_block=4
    )
    assert masked.shape == (0, 192)


def test_texts_in_one_batch_are_encoded_as_one_by_one(encoder):
    texts = ["dog", "the second red mug from the left", "", "犬"]

    together = encoder.encode_texts(texts)

    np.testing.assert_allclose(together, [encoder.encode_texts([t])[0] for t in texts], atol=1e-5)


def test_a_text_that_is_too_long_is_cut_and_still_ends(encoder):
    assert np.isfinite(encoder.encode_texts(["the left mug " * 500])).all()


def test_more_pictures_than_a_batch_keep_their_order(encoder):
    side = encoder.input_size
    pictures = np.random.default_rng(0).normal(size=(70, 3, side, side)).astype(np.float32)

    got = encoder.encode_images(pictures)

    np.testing.assert_allclose(got[[0, 69]], encoder.encode_images(pictures[[0, 69]]), atol=1e-4)


def features(encoder, call):
    with torch.inference_mode():
        return call(encoder.model).numpy()


def test_texts_cut_at_their_end_have_the_features_of_whole_ones(encoder):
    texts = ["mug", "the second mug from the left", "word " * 100, ""]
    whole = features(encoder, lambda model: model.encode_text(encoder.tokenizer(texts)))

    np.testing.assert_allclose(encoder.encode_texts(texts), whole, atol=2e-5)


def test_a_last_block_for_the_class_token_alone_changes_nothing(encoder):
    pictures = np.random.default_rng(0).normal(size=(3, 3, 144, 144)).astype(np.float32)
    whole = features(encoder, lambda model: model.encode_image(torch.tensor(pictures)))

    np.testing.assert_allclose(encoder.encode_images(pictures), whole, atol=2e-5)
    full = np.ones((1, encoder.grid_size, encoder.grid_size), np.float32)
    seen = encoder.encode_masked(pictures[0], full, first_masked_block=4)
    np.testing.assert_allclose(seen, whole[:1], atol=2e-5)


def test_an_openai_clip_is_cut_as_well():
    """Another way to find the end: its token has the highest number."""
    torch.manual_seed(0)
    small = {
        "embed_dim": 16, "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "patch_size": 8},
        "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
    }  # fmt: skip
    encoder = ClipEncoder(open_clip.CLIP(**small), open_clip.get_tokenizer("ViT-B-32"))
    texts = ["a photo of a mug", "the left one of them"]
    whole = features(encoder, lambda model: model.encode_text(encoder.tokenizer(texts)))

    np.testing.assert_allclose(encoder.encode_texts(texts), whole, atol=1e-5)


def test_hidden_patches_as_one_key_give_what_all_of_them_give(encoder):
    """Beside the released code's order: multiply before every block, let the block see everything."""
    rng = np.random.default_rng(3)
    side, grid = encoder.input_size, encoder.grid_size
    picture = rng.normal(size=(3, side, side)).astype(np.float32)
    grids = (rng.random((6, grid, grid)) * (rng.random((6, grid, grid)) < 0.3)).astype(np.float32)
    grids[0], grids[1] = 0, 1  # nothing is shown; nothing is hidden
    visual = encoder.model.visual

    for first in range(encoder.n_blocks + 1):
        with torch.inference_mode():
            tokens = visual._embeds(torch.tensor(picture)[None])
            for block in visual.transformer.resblocks[:first]:
                tokens = block(tokens)
            tokens = tokens.repeat(6, 1, 1)
            for block in visual.transformer.resblocks[first:]:
                tokens[:, 1:] *= torch.tensor(grids).flatten(1)[..., None]
                tokens = block(tokens)
            expected = visual.ln_post(tokens[:, 0]) @ visual.proj
        found = encoder.encode_masked(picture, grids, first_masked_block=first)
        np.testing.assert_allclose(found, expected.numpy(), rtol=1e-4, atol=2e-5)

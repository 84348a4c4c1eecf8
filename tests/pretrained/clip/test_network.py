"""Folders in the layout in which OpenAI's networks are published, with small networks in them."""

import json

import numpy as np
import open_clip
import pytest
import torch
from safetensors.torch import load_file, save_file

from ris.errors import WeightsError
from ris.pretrained.clip.network import pack_clip
from ris.pretrained.clip.resnet import ClipResNetEncoder
from ris.pretrained.clip.vit import ClipEncoder, load_clip
from tests.builders.networks import VISION, write_folder
from tests.builders.speeds import FixedSpeeds

TEXTS = ["the left mug", "a photo of a mug", "word " * 200]


@pytest.mark.parametrize(("vision", "kind"), [("vit", ClipEncoder), ("resnet", ClipResNetEncoder)])
def test_a_folder_without_a_tokenizer_gives_the_encoder_of_what_it_holds(tmp_path, vision, kind):
    model = write_folder(tmp_path, vision)
    side = VISION[vision]["image_size"]
    pixels = np.random.default_rng(0).normal(size=(2, 3, side, side)).astype(np.float32)

    encoder = load_clip(tmp_path)

    with torch.inference_mode():
        wanted = model.encode_image(torch.tensor(pixels)).numpy()
        words = model.encode_text(open_clip.get_tokenizer("ViT-B-32-quickgelu")(TEXTS)).numpy()
    assert type(encoder) is kind
    np.testing.assert_allclose(encoder.encode_images(pixels), wanted, atol=1e-5)
    np.testing.assert_allclose(encoder.encode_texts(TEXTS), words, atol=1e-5)


def test_the_configs_activation_is_the_one_used(tmp_path):
    """OpenAI's networks were trained with another approximation of GELU; the difference is not small."""
    write_folder(tmp_path, "vit")
    before = load_clip(tmp_path).encode_texts(TEXTS)
    config = json.loads((tmp_path / "open_clip_config.json").read_text())
    config["model_cfg"]["quick_gelu"] = False
    (tmp_path / "open_clip_config.json").write_text(json.dumps(config))

    assert np.abs(load_clip(tmp_path).encode_texts(TEXTS) - before).max() > 1e-3


def test_in_bf16_features_stay_near_and_leave_as_float32(tmp_path):
    write_folder(tmp_path, "resnet")
    pixels = np.random.default_rng(0).normal(size=(2, 3, 64, 64)).astype(np.float32)
    grids = np.ones((2, 2, 2), np.float32)

    exact, quick = (load_clip(tmp_path, precision=precision) for precision in ("fp32", "bf16"))

    for call in (
        lambda e: e.encode_images(pixels),
        lambda e: e.encode_masked(pixels[0], grids, first_masked_block=0),
        lambda e: e.encode_texts(TEXTS),
    ):
        one, other = call(exact), call(quick)
        assert other.dtype == np.float32
        cosines = (one * other).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)
        assert (cosines > 0.99).all()


@pytest.mark.parametrize("vision", ["vit", "resnet"])
@pytest.mark.parametrize("packed_from", [0, 8, 32, None])
def test_features_are_the_same_by_every_way_of_the_products(tmp_path, vision, packed_from):
    write_folder(tmp_path, vision)
    side = VISION[vision]["image_size"]
    rng = np.random.default_rng(0)
    pixels = rng.normal(size=(5, 3, side, side)).astype(np.float32)
    encoder = load_clip(tmp_path)
    grids = rng.random((4, encoder.grid_size, encoder.grid_size)).astype(np.float32)
    grids[:, 0] = 0

    def compute_features():
        masked = [
            encoder.encode_masked(pixels[0], grids, first_masked_block=block)
            for block in range(encoder.n_blocks + 1)
        ]
        return [encoder.encode_images(pixels), encoder.encode_texts(TEXTS), *masked]

    before = compute_features()
    pack_clip(encoder.model, FixedSpeeds(packed_from))

    for one, other in zip(compute_features(), before, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def test_packed_weights_of_a_clip_are_in_memory_once(tmp_path):
    write_folder(tmp_path, "vit")
    encoder = load_clip(tmp_path)
    in_blocks = [
        parameter
        for part in (encoder.model.transformer, encoder.model.visual.transformer)
        for parameter in part.parameters()
        if parameter.ndim == 2
    ]
    before = sum(parameter.numel() for parameter in encoder.model.parameters())

    pack_clip(encoder.model, FixedSpeeds(0))

    after = sum(parameter.numel() for parameter in encoder.model.parameters())
    assert before - after == sum(parameter.numel() for parameter in in_blocks) > 0


def test_a_tokenizer_is_asked_for_where_the_config_names_one(tmp_path):
    write_folder(tmp_path, "vit")
    config = json.loads((tmp_path / "open_clip_config.json").read_text())
    config["model_cfg"]["text_cfg"]["hf_tokenizer_name"] = "someone/words"
    (tmp_path / "open_clip_config.json").write_text(json.dumps(config))

    with pytest.raises(WeightsError, match=r"lacks .*tokenizer\.json"):
        load_clip(tmp_path)


def test_a_config_that_is_no_json_is_damaged(tmp_path):
    write_folder(tmp_path, "vit")
    (tmp_path / "open_clip_config.json").write_text("{")

    with pytest.raises(WeightsError, match="is damaged"):
        load_clip(tmp_path)


def test_a_resnet_that_lacks_a_weight_is_refused(tmp_path):
    write_folder(tmp_path, "resnet")
    path = tmp_path / "open_clip_model.safetensors"
    state = load_file(path)
    del state["visual.attnpool.q_proj.weight"]
    save_file(state, path)

    with pytest.raises(WeightsError, match=r"damaged.*visual\.attnpool\.q_proj\.weight"):
        load_clip(tmp_path)

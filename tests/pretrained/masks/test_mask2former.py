"""Proposals of a small random Mask2Former, against its masks enlarged all at once."""

import json
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    Mask2FormerConfig,
    Mask2FormerForUniversalSegmentation,
    Mask2FormerImageProcessor,
    SwinConfig,
)

from ris.core.types import Image
from ris.errors import WeightsError
from ris.pretrained.linear_ops import find_linear_layers, pack_layers
from ris.pretrained.masks.mask2former import Mask2FormerProposer, compute_qualities
from ris.pretrained.masks.settings import QuerySettings
from tests.builders.speeds import FixedSpeeds

SETTINGS = QuerySettings(short_side=64, long_side=96)
N_QUERIES = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mask2former")
    torch.manual_seed(0)
    backbone = SwinConfig(
        image_size=64, embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2], window_size=2,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )  # fmt: skip
    config = Mask2FormerConfig(
        backbone_config=backbone, feature_size=32, mask_feature_size=32, hidden_dim=32,
        encoder_feedforward_dim=16, dim_feedforward=16, encoder_layers=1, decoder_layers=2,
        num_attention_heads=2, num_queries=N_QUERIES, num_labels=5,
    )  # fmt: skip
    model = Mask2FormerForUniversalSegmentation(config).eval()
    for name, parameter in model.named_parameters():
        if parameter.ndim > 1 and ("embedder" in name or "class_predictor" in name):
            parameter.data.normal_(0, 0.5)  # masks and classes that differ from each other
    model.save_pretrained(folder)
    processor = Mask2FormerImageProcessor(size={"height": 384, "width": 384})  # as the published ones have it
    processor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def proposer(folder):
    return Mask2FormerProposer.load(folder, SETTINGS)


def picture(height=75, width=50, seed=0):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (5, 5, 3), dtype=np.uint8)
    return Image.from_pixels(
        np.kron(coarse, np.ones((-(-height // 5), -(-width // 5), 1), np.uint8))[:height, :width]
    )


def oracle(proposer, image, threshold):
    """All of it at once, on float64: probabilities at the image's size, the best queries first."""
    pixels = np.asarray(image.pixels, np.float64) / 255
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    scaled = torch.tensor(pixels.transpose(2, 0, 1))[None]
    scaled = torch.nn.functional.interpolate(scaled, (96, 64), mode="bilinear", antialias=True)
    scaled = (scaled - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]
    with torch.inference_mode():
        found = proposer.model(pixel_values=scaled.float())
    large = found.masks_queries_logits
    small = large[0].sigmoid().double()
    for size in ((96, 64), image.size):
        large = torch.nn.functional.interpolate(large, size, mode="bilinear", align_corners=False)
    masks = (large[0].sigmoid() > threshold).numpy()
    best = found.class_queries_logits[0].double().softmax(-1)[:, :-1].max(-1).values
    quality = [
        float(best[i] * small[i][small[i] > threshold].mean()) if (small[i] > threshold).any() else 0
        for i in range(len(small))
    ]
    order = [i for i in np.argsort(quality)[::-1] if masks[i].any()]
    return masks[order], np.array(quality)[order]


@pytest.mark.parametrize("threshold", [0.35, 0.5])
def test_proposals_are_all_queries_above_the_threshold_best_first(folder, threshold):
    proposer = Mask2FormerProposer.load(folder, replace(SETTINGS, mask_threshold=threshold))
    image = picture()

    got = proposer.propose(image)

    masks, quality = oracle(proposer, image, threshold)
    assert got.masks.shape == masks.shape
    assert len(got) >= 4
    assert (np.asarray(got.masks) != masks).mean() < 2e-3  # uint8 pixels on one way, floats on the other
    np.testing.assert_allclose(got.quality, quality, atol=0.01)
    assert (np.diff(got.quality) <= 0).all()
    assert got.quality.dtype == np.float32
    assert 0 < got.quality.min() < got.quality.max() <= 1
    assert dict(got.features) == {}


def test_the_best_so_many_leave_and_they_are_the_first_of_all(folder, proposer):
    few = Mask2FormerProposer.load(folder, replace(SETTINGS, max_proposals=3))

    got, every = few.propose(picture()), proposer.propose(picture())

    assert len(got) == 3
    np.testing.assert_array_equal(np.asarray(got.masks), np.asarray(every.masks)[:3])


def test_masks_that_are_too_small_are_dropped(folder, proposer):
    every = proposer.propose(picture())
    areas = sorted(int(mask.sum()) for mask in every.masks)
    least = areas[len(areas) // 2]

    got = Mask2FormerProposer.load(folder, replace(SETTINGS, min_area_px=least)).propose(picture())

    assert sorted(int(mask.sum()) for mask in got.masks) == [area for area in areas if area >= least]


def test_where_no_pixel_is_likely_enough_there_is_no_proposal(folder):
    none = Mask2FormerProposer.load(folder, replace(SETTINGS, mask_threshold=1 - 1e-12))

    got = none.propose(picture())

    assert (len(got), got.masks.shape) == (0, (0, 75, 50))


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3)])
def test_odd_images_do_not_crash(proposer, size):
    assert proposer.propose(picture(*size)).masks.shape[1:] == size


def test_the_networks_input_is_as_large_as_the_settings_say(proposer):
    seen = []
    hook = proposer.model.register_forward_pre_hook(
        lambda _, given, named: seen.append(tuple(named["pixel_values"].shape)), with_kwargs=True
    )
    proposer.propose(picture(300, 100))
    hook.remove()

    assert seen == [(1, 3, 96, 32)]


def test_no_more_than_one_mask_at_a_time_is_float32_at_the_images_size(proposer):
    image = picture(1500, 1000)
    proposer.propose(image)

    tracemalloc.start()  # knows of NumPy's and OpenCV's arrays
    got = proposer.propose(image)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    n_pixels = 1500 * 1000
    assert len(got) > 3
    assert peak_bytes < (N_QUERIES + 3 + 2 * 4) * n_pixels  # as bool, the image, and one mask at work


def test_quality_is_the_class_times_the_mean_inside_and_nothing_for_an_empty_mask():
    classes = torch.tensor([[2.0, 0.0, 1.0], [0.0, 0.0, 9.0], [3.0, 1.0, 0.0]])
    masks = torch.tensor([[[4.0, -4.0]], [[1.0, 1.0]], [[-9.0, -9.0]]])

    got = compute_qualities(classes, masks, 0.35)

    first = np.exp(2) / (np.exp(2) + 1 + np.exp(1)) / (1 + np.exp(-4))
    second = 1 / (2 + np.exp(9)) / (1 + np.exp(-1))
    np.testing.assert_allclose(got, [first, second, 0], atol=1e-6)


@pytest.fixture
def copy(folder, tmp_path):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "preprocessor_config.json"])
def test_a_missing_file_is_named(copy, name):
    (copy / name).unlink()

    with pytest.raises(WeightsError, match=f"lacks .*{name}"):
        Mask2FormerProposer.load(copy, SETTINGS)


def test_weights_that_are_missing_are_named_and_never_made_up(copy):
    state = load_file(copy / "model.safetensors")
    del state["class_predictor.weight"]
    save_file(state, copy / "model.safetensors", metadata={"format": "pt"})

    with pytest.raises(WeightsError, match=r"lacks 1 weights, such as class_predictor\.weight"):
        Mask2FormerProposer.load(copy, SETTINGS)


def test_a_damaged_processor_is_named(copy):
    (copy / "preprocessor_config.json").write_text("{")

    with pytest.raises(WeightsError, match=r"preprocessor_config\.json is damaged"):
        Mask2FormerProposer.load(copy, SETTINGS)


def test_the_processors_old_words_are_understood(copy):
    """As the files that are published have them."""
    config = json.loads((copy / "preprocessor_config.json").read_text())
    config |= {"_max_size": 1333, "reduce_labels": False, "num_labels": 133, "ignore_index": 255}
    (copy / "preprocessor_config.json").write_text(json.dumps(config))

    assert len(Mask2FormerProposer.load(copy, SETTINGS).propose(picture())) > 0


def test_proposals_are_the_same_with_packed_weights(folder, proposer):
    packed = Mask2FormerProposer.load(folder, SETTINGS)
    pack_layers(find_linear_layers(packed.model), FixedSpeeds(0))

    before, after = (one.propose(picture()) for one in (proposer, packed))

    assert len(before) == len(after) > 0
    np.testing.assert_array_equal(np.asarray(after.masks), np.asarray(before.masks))
    np.testing.assert_allclose(after.quality, before.quality, rtol=1e-5, atol=1e-5)

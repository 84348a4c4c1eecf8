"""On a SAM 2 with random weights: its masks are noise, and the noise must be the right one."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from segment_anything.utils.amg import batched_mask_to_box, build_point_grid, calculate_stability_score
from torchvision.ops import batched_nms
from transformers import Sam2Config, Sam2ImageProcessor, Sam2Model

from ris.core import rle
from ris.core.proposals import Prompts
from ris.core.types import Image
from ris.errors import WeightsError
from ris.pretrained.catalog.presets import TINY
from ris.pretrained.linear_ops import find_linear_layers, pack_layers
from ris.pretrained.masks.sam2 import Sam2Proposer
from ris.referring.scene import PROPOSER_KEY, Scene
from tests.builders.masks import rectangle
from tests.builders.speeds import FixedSpeeds

SIDE, SIZE = 64, (40, 60)
EVERYTHING = replace(
    TINY.proposals, points_per_side=3, pred_iou_thresh=0.0, stability_score_thresh=0.0, box_nms_thresh=0.7,
    min_area_share=0.0, max_area_share=1.0, same_mask_iou=1.01, speck_share=0.0, max_proposals=99,
    mask_prompts=True,
)  # fmt: skip
NOWHERE = {"points": np.zeros((0, 2), np.float32), "positive": np.zeros(0, np.bool_)}
CLICKS = {"points": np.array([[6, 4], [45, 30]], np.float32), "positive": np.array([True, False])}


def random_config():
    """64 px, a map of 4 x 4 tokens, features of 16, 8 and 4."""
    backbone = {
        "model_type": "sam2_hiera_det_model", "hidden_size": 8, "num_attention_heads": 1,
        "image_size": [SIDE, SIDE], "blocks_per_stage": [1, 1, 2, 1], "embed_dim_per_stage": [8, 16, 32, 64],
        "num_attention_heads_per_stage": [1, 2, 2, 4], "window_size_per_stage": [4, 4, 4, 2],
        "global_attention_blocks": [3],
    }  # fmt: skip
    return Sam2Config(
        vision_config={
            "backbone_config": backbone, "backbone_channel_list": [64, 32, 16, 8],
            "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]], "fpn_hidden_size": 32,
        },
        prompt_encoder_config={
            "hidden_size": 32, "image_size": SIDE, "patch_size": 16, "mask_input_channels": 8
        },
        mask_decoder_config={
            "hidden_size": 32, "mlp_dim": 64, "num_attention_heads": 4, "iou_head_hidden_dim": 32
        },
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sam2")
    torch.manual_seed(0)
    model = Sam2Model(random_config())
    with torch.no_grad():
        model.no_memory_embedding.normal_()
        for parameter in model.mask_decoder.parameters():
            parameter.mul_(3)  # so that the answers differ
    model.save_pretrained(folder)
    Sam2ImageProcessor(size={"height": SIDE, "width": SIDE}).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def image():
    return Image.from_pixels(np.random.default_rng(1).integers(0, 255, (*SIZE, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def proposer(folder):
    return Sam2Proposer.load(folder, EVERYTHING)


@torch.no_grad()
def plainly(proposer, image, points, **prompts):
    """The library's whole forward for clicks in pixels: logits of the image's size, and scores."""
    pixels = proposer.processor(images=image.pixels.copy(), return_tensors="pt")["pixel_values"]
    scaled = torch.as_tensor(points * (SIDE / np.array([SIZE[1], SIZE[0]])), dtype=torch.float32)
    made = proposer.model(pixels, input_points=scaled[None], **prompts)
    logits = torch.nn.functional.interpolate(made.pred_masks[0], SIZE, mode="bilinear", align_corners=False)
    return logits.flatten(0, 1), made.iou_scores.flatten()


def test_proposals_are_the_librarys_masks_filtered_as_its_generator_does(proposer, image):
    points = build_point_grid(3) * np.array([SIZE[1], SIZE[0]])
    logits, scores = plainly(proposer, image, points[:, None])
    stability = calculate_stability_score(logits, 0.0, 1.0)
    settings = replace(
        EVERYTHING,
        pred_iou_thresh=float(scores.quantile(0.3)),
        stability_score_thresh=float(stability.quantile(0.2)),
    )
    kept = (scores > settings.pred_iou_thresh) & (stability >= settings.stability_score_thresh)
    masks, scores, stability = logits[kept] > 0, scores[kept], stability[kept]
    boxes = batched_mask_to_box(masks).float()
    order = batched_nms(boxes, scores, torch.zeros(len(scores)), 0.7)
    trust = (scores * stability)[order]
    order = order[trust.argsort(descending=True, stable=True)]

    found = Sam2Proposer(proposer.model, proposer.processor, settings).propose(image)

    assert 0 < len(found) < 27
    np.testing.assert_array_equal(found.masks, masks[order].numpy())
    np.testing.assert_allclose(found.quality, (scores * stability)[order].numpy(), rtol=1e-4)


def seen(proposer, image):
    found = proposer.propose(image)
    return Scene(image.digest, image.size, (), (), np.zeros(0, np.float32), {PROPOSER_KEY: found.features})


def test_a_click_on_a_seen_image_is_answered_as_the_library_does(proposer, image):
    labels = torch.tensor([[[1, 0]]])
    logits, scores = plainly(proposer, image, CLICKS["points"][None], input_labels=labels)
    order = [int(i) for i in scores.argsort(descending=True, stable=True) if (logits[i] > 0).any()]

    found = proposer.refine(seen(proposer, image), Prompts(SIZE, **CLICKS))

    np.testing.assert_array_equal(found.masks, (logits[order] > 0).numpy())
    np.testing.assert_allclose(found.quality, scores[order].numpy(), rtol=1e-4)


def test_the_image_is_encoded_once_for_proposals_and_clicks(proposer, image, monkeypatch):
    scene = seen(proposer, image)
    monkeypatch.setattr(
        proposer.model.vision_encoder, "forward", lambda *_, **__: pytest.fail("the image was encoded again")
    )

    found = proposer.refine(scene, Prompts(SIZE, **CLICKS))

    assert found.masks.shape[1:] == SIZE


BOX = NOWHERE | {"box": (10.0, 5.0, 40.0, 30.0)}
MASK = NOWHERE | {"mask": rle.encode_rle(rectangle(SIZE, 10, 5, 40, 30))}


@pytest.mark.parametrize("mask_prompts", [True, False], ids=["read", "pointed at"])
@pytest.mark.parametrize("prompts", [BOX, MASK, CLICKS | BOX, CLICKS | MASK], ids=lambda p: "+".join(p))
def test_every_way_of_pointing_has_an_answer(proposer, image, prompts, mask_prompts):
    settings = replace(EVERYTHING, mask_prompts=mask_prompts)
    other = Sam2Proposer(proposer.model, proposer.processor, settings)

    found = other.refine(seen(proposer, image), Prompts(SIZE, **prompts))

    assert found.masks.shape[1:] == SIZE
    assert (np.diff(found.quality) <= 0).all()


def test_large_images_are_shrunk_and_their_masks_enlarged(proposer):
    pixels = np.random.default_rng(2).integers(0, 255, (120, 90, 3), dtype=np.uint8)
    image, settings = Image.from_pixels(pixels), replace(EVERYTHING, working_side=60)
    small = Sam2Proposer(proposer.model, proposer.processor, settings)

    found = small.propose(image)
    scene = Scene(image.digest, image.size, (), (), np.zeros(0, np.float32), {PROPOSER_KEY: found.features})

    assert found.features["size"].tolist() == [60, 45]
    assert (
        found.masks.shape[1:]
        == small.refine(scene, Prompts((120, 90), **CLICKS)).masks.shape[1:]
        == (120, 90)
    )


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json", "model.safetensors"])
def test_a_missing_file_is_named(folder, tmp_path, name):
    for path in folder.iterdir():
        if path.name != name:
            (tmp_path / path.name).write_bytes(path.read_bytes())

    with pytest.raises(WeightsError, match=name):
        Sam2Proposer.load(tmp_path, EVERYTHING)


def test_missing_weights_are_refused(folder, tmp_path):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    state = load_file(tmp_path / "model.safetensors")
    del state["no_memory_embedding"]
    save_file(state, tmp_path / "model.safetensors", metadata={"format": "pt"})

    with pytest.raises(WeightsError, match="lacks 1 weights, such as no_memory_embedding"):
        Sam2Proposer.load(tmp_path, EVERYTHING)


def test_a_published_folder_says_that_it_is_a_video_network_and_is_read(folder, tmp_path, proposer):
    """Its further weights, of the memory between pictures, are left where they are."""
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"model_type": "sam2_video"}))
    state = load_file(tmp_path / "model.safetensors") | {
        "memory_temporal_positional_encoding": torch.zeros(1)
    }
    save_file(state, tmp_path / "model.safetensors", metadata={"format": "pt"})

    loaded = Sam2Proposer.load(tmp_path, EVERYTHING)

    expected = proposer.model.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in loaded.model.state_dict().items())


def test_features_are_the_same_with_packed_weights(folder, proposer, image):
    packed = Sam2Proposer.load(folder, EVERYTHING)
    pack_layers(find_linear_layers(packed.model), FixedSpeeds(0))

    before, after = proposer.propose(image), packed.propose(image)

    assert len(before) == len(after) > 0
    for name, expected in before.features.items():
        np.testing.assert_allclose(after.features[name], expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(after.quality, before.quality, rtol=1e-5, atol=1e-5)

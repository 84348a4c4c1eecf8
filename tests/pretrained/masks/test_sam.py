import io
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image as Pillow
from segment_anything import sam_model_registry

from ris.core import rle
from ris.core.masks import compute_iou
from ris.core.proposals import Prompts
from ris.core.types import Image
from ris.errors import WeightsError
from ris.labelstudio.masks import brush
from ris.pretrained.catalog.presets import TINY, TINY_FOLDER
from ris.pretrained.masks import sam_generator
from ris.pretrained.masks.sam import SamProposer, load_sam, pack_sam
from ris.referring.scene import PROPOSER_KEY, Scene
from ris.tinyworld.samples import make_samples
from tests.builders.masks import rectangle
from tests.builders.speeds import FixedSpeeds
from tests.pretrained.toy_sam import random_sam


@pytest.fixture(scope="module")
def model():
    return load_sam(TINY_FOLDER / "sam")


@pytest.fixture(scope="module")
def proposals(model):
    pixels = np.full((90, 120, 3), 120, np.uint8)
    for x, colour in ((10, (230, 30, 30)), (50, (30, 30, 230)), (85, (240, 220, 40))):
        pixels[30:60, x : x + 28] = colour
    settings = replace(TINY.proposals, points_per_side=8, max_proposals=4)
    return SamProposer(model, settings).propose(Image.from_pixels(pixels))


def test_proposals_come_best_first_and_at_most_so_many(proposals):
    assert 0 < len(proposals) <= 4
    assert (np.diff(proposals.quality) <= 0).all()


def test_proposals_are_whole_masks_in_the_images_frame(proposals):
    assert proposals.masks.shape[1:] == (90, 120)
    assert np.asarray(proposals.masks).any((1, 2)).all()


def test_no_two_proposals_are_nearly_the_same(proposals):
    flat = np.asarray(proposals.masks).reshape(len(proposals), -1).astype(float)
    both = flat @ flat.T
    ious = both / (flat.sum(1)[:, None] + flat.sum(1)[None] - both)

    assert (ious[~np.eye(len(flat), dtype=bool)] < TINY.proposals.same_mask_iou).all()


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3)])
def test_odd_images_do_not_crash(model, size):
    settings = replace(TINY.proposals, points_per_side=2)

    found = SamProposer(model, settings).propose(Image.from_pixels(np.zeros((*size, 3), np.uint8)))

    assert found.masks.shape[1:] == size


def test_proposals_of_a_large_image_lie_where_those_of_the_small_one_do(model):
    """Above the working side the image is shrunk and the masks are enlarged: nothing else changes."""
    pixels = np.full((90, 120, 3), 120, np.uint8)
    pixels[30:60, 40:80] = (230, 30, 30)
    large = np.repeat(np.repeat(pixels, 4, 0), 4, 1)
    settings = replace(TINY.proposals, points_per_side=6, working_side=120)

    small, enlarged = (SamProposer(model, settings).propose(Image.from_pixels(p)) for p in (pixels, large))

    assert enlarged.masks.shape[1:] == (360, 480)
    assert len(small) == len(enlarged) > 0
    shrunk = np.asarray(enlarged.masks)[:, 2::4, 2::4]
    assert (
        (shrunk & np.asarray(small.masks)).sum((1, 2)) / (shrunk | np.asarray(small.masks)).sum((1, 2)) > 0.9
    ).all()


def test_masks_on_a_full_hd_picture_are_small_in_label_studio(model):
    """Of ordinary things, ragged as a network leaves them: under 60 kB of JSON each."""
    scene = Pillow.open(io.BytesIO(make_samples(1, seed=5)[0].png)).convert("RGB")
    pixels = np.asarray(scene.resize((1920, 1080), Pillow.Resampling.BICUBIC))

    found = SamProposer(model, TINY.proposals).propose(Image.from_pixels(pixels))

    sizes = [len(json.dumps(brush.encode_brush(mask))) for mask in found.masks]
    assert len(sizes) > 5
    assert max(sizes) < 60_000


def test_thresholds_that_nothing_passes_give_no_proposals(model):
    settings = replace(TINY.proposals, points_per_side=2, pred_iou_thresh=5.0)

    found = SamProposer(model, settings).propose(Image.from_pixels(np.zeros((40, 50, 3), np.uint8)))

    assert (len(found), found.boxes.shape) == (0, (0, 4))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_missing_file_is_named(tmp_path, name):
    folder = shutil.copytree(TINY_FOLDER / "sam", tmp_path / "sam")
    (folder / name).unlink()

    with pytest.raises(WeightsError, match=f"lacks .*{name}"):
        load_sam(folder)


def test_a_truncated_or_unfitting_file_is_refused(tmp_path):
    folder = shutil.copytree(TINY_FOLDER / "sam", tmp_path / "sam")
    config = json.loads((folder / "config.json").read_text())
    config["encoder"]["depth"] = 2
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(WeightsError, match="damaged"):
        load_sam(folder)

    (folder / "model.safetensors").write_bytes(b"\x00" * 100)
    with pytest.raises(WeightsError, match="damaged"):
        load_sam(folder)


@pytest.fixture(scope="module")
def refined(model):
    """What a seen picture's proposer makes of prompts, beside the picture's truth."""
    pixels = np.full((90, 120, 3), 120, np.uint8)
    pixels[30:60, 50:78] = (30, 30, 230)
    image = Image.from_pixels(pixels)
    proposer = SamProposer(model, replace(TINY.proposals, points_per_side=4))
    found = proposer.propose(image)
    scene = Scene(image.digest, image.size, (), (), np.zeros(0, np.float32), {PROPOSER_KEY: found.features})
    truth = (pixels == (30, 30, 230)).all(-1)
    return lambda **prompts: (proposer.refine(scene, Prompts(image.size, **prompts)), truth)


NOWHERE = {"points": np.zeros((0, 2), np.float32), "positive": np.zeros(0, np.bool_)}
ON = {"points": np.array([[64, 45]], np.float32), "positive": np.array([True])}


BOX = NOWHERE | {"box": (50.0, 30.0, 78.0, 60.0)}
MASK = NOWHERE | {"mask": rle.encode_rle(rectangle((90, 120), 55, 35, 70, 55))}


@pytest.mark.parametrize("prompts", [ON, BOX, MASK], ids=["click", "box", "mask"])
def test_what_is_pointed_at_becomes_a_mask_in_the_images_frame(refined, prompts):
    found, truth = refined(**prompts)

    assert found.masks.shape[1:] == truth.shape
    assert max(compute_iou(mask, truth) for mask in found.masks) > 0.7
    assert (np.diff(found.quality) <= 0).all()


def test_the_image_is_encoded_once_for_proposals_and_clicks(model, monkeypatch):
    """By our way through the encoder, and by the library's not at all."""
    times, ours = [], sam_generator.encode_sam_image
    monkeypatch.setattr(
        sam_generator, "encode_sam_image", lambda *given: (times.append("ours"), ours(*given))[1]
    )
    hook = model.image_encoder.register_forward_hook(lambda *_: times.append("the library's"))
    proposer = SamProposer(model, replace(TINY.proposals, points_per_side=2))
    pixels = np.full((90, 120, 3), 120, np.uint8)
    pixels[30:60, 50:78] = (30, 30, 230)
    image = Image.from_pixels(pixels)

    proposals = proposer.propose(image)
    scene = Scene(
        image.digest, image.size, (), (), np.zeros(0, np.float32), {PROPOSER_KEY: proposals.features}
    )
    found = proposer.refine(scene, Prompts(image.size, **ON))
    hook.remove()

    assert len(found)
    assert times == ["ours"]


def test_a_network_that_reads_masks_is_given_one(model, refined):
    mask = rle.encode_rle(rectangle((90, 120), 50, 30, 78, 60))
    proposer = SamProposer(model, replace(TINY.proposals, mask_prompts=True))

    logits = proposer._to_mask_input(mask, (48, 64))

    side = 4 * model.prompt_encoder.image_embedding_size[0]
    assert logits.shape == (1, side, side)
    scale = side / model.image_encoder.img_size
    inside = logits[0, : round(48 * scale), : round(64 * scale)] > 0
    assert inside.mean() == pytest.approx(28 * 30 / (90 * 120), abs=0.03)
    assert (logits[0, round(48 * scale) :] == -8).all()


@pytest.fixture
def published(tmp_path):
    """A folder as the authors publish it: one file of weights under its name."""
    torch.save(random_sam().state_dict(), tmp_path / "sam_vit_b_01ec64.pth")
    return tmp_path


BUILDERS = {"vit_b": lambda: random_sam(seed=1)}


def test_published_weights_are_read_under_their_own_name(published):
    model = load_sam(published, builders=BUILDERS)

    expected = random_sam().state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in model.state_dict().items())
    assert not model.training


def test_published_weights_that_are_cut_short_or_lack_some_are_refused(published):
    path = published / "sam_vit_b_01ec64.pth"
    state = random_sam().state_dict()
    del state["mask_decoder.iou_token.weight"]
    torch.save(state, path)
    with pytest.raises(WeightsError, match="damaged.*iou_token"):
        load_sam(published, builders=BUILDERS)

    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(WeightsError, match="damaged"):
        load_sam(published, builders=BUILDERS)


def test_two_published_networks_in_a_folder_or_one_of_unknown_name_are_refused(published):
    path = published / "sam_vit_b_01ec64.pth"
    other = shutil.copy(path, published / "sam_vit_h_4b8939.pth")
    with pytest.raises(WeightsError, match="has 2 SAM models"):
        load_sam(published, builders=BUILDERS)

    path.unlink()
    assert other.is_file()
    with pytest.raises(WeightsError, match=r"sam_vit_h_4b8939.pth has none of the known SAM models .*vit_b"):
        load_sam(published, builders=BUILDERS)


@pytest.mark.parametrize("name", ["vit_b", "vit_l", "vit_h"])
def test_the_published_sizes_are_known(name):
    assert name in sam_model_registry


@pytest.mark.parametrize("packed_from", [0, 8, 32, None])
def test_masks_and_embedding_are_the_same_by_every_way_of_the_products(packed_from):
    proposer = SamProposer(load_sam(TINY_FOLDER / "sam"), replace(TINY.proposals, points_per_side=4))
    image = Image.from_pixels(np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8))
    before = proposer.propose(image)
    pack_sam(proposer.model, FixedSpeeds(packed_from))

    after = proposer.propose(image)

    assert len(after) == len(before) > 0
    np.testing.assert_array_equal(np.asarray(after.masks), np.asarray(before.masks))
    np.testing.assert_allclose(after.quality, before.quality, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(
        after.features["embedding"], before.features["embedding"], rtol=1e-5, atol=1e-5
    )

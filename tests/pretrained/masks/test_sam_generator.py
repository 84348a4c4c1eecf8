"""Our generator beside the library's on the same network."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow
from segment_anything import SamAutomaticMaskGenerator, SamPredictor

from ris.pretrained.catalog.presets import TINY
from ris.pretrained.masks import sam_generator
from ris.pretrained.masks.sam import load_sam
from ris.pretrained.masks.sam_generator import embed_image, generate_masks
from ris.tinyworld.samples import make_samples
from tests.pretrained.toy_sam import SIDE, random_sam

SETTINGS = replace(TINY.proposals, points_per_side=8)


@pytest.fixture(scope="module")
def model():
    return load_sam(Path(sam_generator.__file__).parents[1] / "tiny" / "sam")


@pytest.fixture(scope="module")
def scenes():
    """Drawn scenes: as they are, wide, and high."""
    drawn = [
        np.asarray(Pillow.open(io.BytesIO(sample.png)).convert("RGB")) for sample in make_samples(2, seed=5)
    ]
    return [drawn[0], drawn[1][:90], drawn[1][:, :90]]


def both(model, pixels, settings):
    """What the library and ours make of an image."""
    generator = SamAutomaticMaskGenerator(
        model,
        points_per_side=settings.points_per_side,
        pred_iou_thresh=settings.pred_iou_thresh,
        stability_score_thresh=settings.stability_score_thresh,
        box_nms_thresh=settings.box_nms_thresh,
        min_mask_region_area=settings.min_mask_region_area_px,
    )
    size = pixels.shape[:2]
    with torch.inference_mode():
        embedding, input_size = embed_image(model, pixels)
        return generator.generate(pixels), generate_masks(model, embedding, input_size, size, settings)


def assert_same(theirs, ours):
    assert len(theirs) == len(ours.masks) > 0
    for mask, record in zip(ours.masks, theirs, strict=True):
        np.testing.assert_array_equal(mask, record["segmentation"])
    np.testing.assert_allclose(ours.predicted_iou, [r["predicted_iou"] for r in theirs], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ours.stability, [r["stability_score"] for r in theirs], rtol=1e-4)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # the library's own
@pytest.mark.parametrize("which", range(3), ids=["scene", "wide", "high"])
@pytest.mark.parametrize(("iou", "stability", "region"), [(0.3, 0.5, 0), (0.0, 0.0, 0), (0.3, 0.5, 60)])
def test_masks_scores_and_order_are_the_librarys(model, scenes, which, iou, stability, region):
    settings = replace(
        SETTINGS, pred_iou_thresh=iou, stability_score_thresh=stability, min_mask_region_area_px=region
    )

    assert_same(*both(model, scenes[which], settings))


def test_at_the_librarys_own_thresholds_too(model, scenes):
    """The embedded network is seldom as sure: what is kept may be nothing, in both."""
    settings = replace(SETTINGS, pred_iou_thresh=0.88, stability_score_thresh=0.95, box_nms_thresh=0.7)

    theirs, ours = both(model, scenes[0], settings)

    assert len(theirs) == len(ours.masks)


def test_of_a_network_with_windows_and_positions_too():
    """A random network: its masks are noise, and the same noise."""
    model = random_sam(3)
    pixels = np.random.default_rng(0).integers(0, 255, (SIDE - 20, SIDE + 33, 3), dtype=np.uint8)
    settings = replace(SETTINGS, points_per_side=4, pred_iou_thresh=0.0, stability_score_thresh=0.0)

    theirs, ours = both(model, pixels, settings)

    assert len(theirs) == len(ours.masks) > 0
    differing = [(m != r["segmentation"]).mean() for m, r in zip(ours.masks, theirs, strict=True)]
    assert max(differing) < 1e-3


def test_what_is_seen_is_what_the_librarys_predictor_sees(model, scenes):
    predictor = SamPredictor(model)
    predictor.set_image(scenes[1])

    with torch.inference_mode():
        embedding, input_size = embed_image(model, scenes[1])

    assert input_size == predictor.input_size
    torch.testing.assert_close(embedding, predictor.features, rtol=1e-4, atol=1e-4)

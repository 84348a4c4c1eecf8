from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image as Pillow
from torch.nn import functional as F

from ris.core.boxes import compute_authors_box, compute_box
from ris.referring.crops import crop_masked, make_patch_grid, normalise_image, squash_picture
from ris.referring.global_local import GLOBAL_LOCAL_PAPER, IMAGENET_MEAN, IMAGENET_STD
from tests.builders.masks import rectangle

RAW = replace(GLOBAL_LOCAL_PAPER.framing, working_side=None)


def picture(size=(30, 41), seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


def test_pixels_are_normalised_with_the_methods_own_statistics():
    got = normalise_image(picture(), RAW)

    wanted = (picture() / 255 - IMAGENET_MEAN) / IMAGENET_STD
    np.testing.assert_allclose(got, wanted.transpose(2, 0, 1), atol=1e-5)


def test_the_paper_takes_everything_from_the_image_with_its_shorter_side_at_800():
    got = normalise_image(picture((30, 45)), GLOBAL_LOCAL_PAPER.framing)

    large = np.asarray(Pillow.fromarray(picture((30, 45))).resize((1200, 800), Pillow.Resampling.BILINEAR))
    wanted = (large / 255 - IMAGENET_MEAN) / IMAGENET_STD
    assert got.shape == (3, 800, 1200)
    np.testing.assert_allclose(got, wanted.transpose(2, 0, 1), atol=1e-5)


@pytest.mark.parametrize(
    ("size", "working"), [((480, 640), (800, 1066)), ((427, 640), (800, 1199)), ((64, 48), (1066, 800))]
)
def test_the_working_size_is_that_of_torchvisions_resize(size, working):
    from torchvision.transforms import functional as vision

    large = vision.resize(Pillow.fromarray(picture(size)), 800)  # Pillow, bilinear, as the authors call it

    got = normalise_image(picture(size), GLOBAL_LOCAL_PAPER.framing)

    wanted = (np.asarray(large) / 255 - IMAGENET_MEAN) / IMAGENET_STD
    assert got.shape == (3, *working)
    np.testing.assert_allclose(got, wanted.transpose(2, 0, 1), atol=1e-5)


def test_the_whole_picture_is_squashed_and_nothing_is_cut_off():
    x = normalise_image(picture(), RAW)

    wanted = F.interpolate(torch.tensor(x)[None], (24, 24), mode="bilinear", align_corners=False)[0]
    np.testing.assert_allclose(squash_picture(x, 24, RAW), wanted.numpy(), atol=1e-5)


@pytest.mark.parametrize(("rule", "box_rule"), [(compute_box, "tight"), (compute_authors_box, "authors")])
def test_a_crop_is_the_masked_picture_with_the_ground_replaced_after_normalisation(rule, box_rule):
    """The authors' order: replace the ground of the whole picture, then crop, then resize by points."""
    framing, mask = replace(RAW, box_rule=box_rule), rectangle((30, 41), 5, 3, 22, 19)
    mask[8, 9] = False
    x = normalise_image(picture(), framing)

    filled = torch.tensor(x).clone()
    for channel in range(3):
        filled[channel][~torch.tensor(mask)] = IMAGENET_MEAN[channel]
    x1, y1, x2, y2 = rule(mask)
    wanted = F.interpolate(filled[None, :, y1:y2, x1:x2], (16, 16), mode="bilinear", align_corners=False)[0]

    np.testing.assert_allclose(crop_masked(x, mask, 16, framing), wanted.numpy(), atol=1e-5)


def test_the_papers_resizing_takes_points_and_never_averages():
    assert not GLOBAL_LOCAL_PAPER.framing.antialias
    assert not GLOBAL_LOCAL_PAPER.framing.grid_antialias
    assert GLOBAL_LOCAL_PAPER.framing.grid_floor == 0


def test_without_a_floor_the_grid_is_the_resized_mask():
    mask = rectangle((30, 41), 5, 3, 22, 19)

    tensor = torch.tensor(mask.astype(np.float32))[None, None]
    wanted = F.interpolate(tensor, (7, 7), mode="bilinear", align_corners=False)[0, 0]
    np.testing.assert_allclose(make_patch_grid(mask, 7, RAW), wanted.numpy(), atol=1e-6)


def test_a_floor_drops_patches_that_the_mask_hardly_touches():
    framing = replace(RAW, grid_antialias=True, grid_floor=0.4)
    mask = rectangle((40, 40), 10, 10, 21, 20)  # fills one patch of ten pixels, and touches the next

    grid = make_patch_grid(mask, 4, framing)

    assert grid[1, 1] == grid.max()
    assert (grid[grid > 0] >= 0.4 * grid.max()).all()
    assert grid[3, 3] == 0


@pytest.mark.parametrize("place", [(0, 0), (17, 23), (29, 40)])
def test_with_averages_and_a_floor_no_mask_loses_all_its_patches(place):
    framing = replace(RAW, grid_antialias=True, grid_floor=0.4)
    mask = np.zeros((30, 41), np.bool_)
    mask[place] = True

    assert make_patch_grid(mask, 7, framing).max() > 0

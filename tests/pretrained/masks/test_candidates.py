from dataclasses import replace

import numpy as np
import pytest
import torch
from segment_anything.modeling import Sam
from segment_anything.utils.amg import batched_mask_to_box, calculate_stability_score

from ris.pretrained.catalog.presets import TINY
from ris.pretrained.masks import candidates
from ris.pretrained.masks.candidates import (
    Upsampler,
    drop_small_regions,
    find_trusted,
    select_stable,
    suppress_duplicates,
)
from ris.pretrained.masks.selection import GeneratedMasks
from tests.builders.masks import rectangle
from tests.pretrained.toy_sam import GRID, SIDE, random_sam

OPEN = replace(TINY.proposals, pred_iou_thresh=0.0, stability_score_thresh=0.0, box_nms_thresh=0.7)


def bumps(count: int, side: int = 40) -> torch.Tensor:
    """Logits of one smooth thing each, at its own place: float32 [count, side, side]."""
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    middles = torch.linspace(8, side - 8, count)
    return torch.stack([6 - ((x - m) ** 2 + (y - side + m) ** 2) / 5.0 for m in middles])


@pytest.mark.parametrize("size", [(60, 113), (113, 60), (31, 31), (1, 90)], ids=str)
def test_maps_are_enlarged_as_the_library_does(size):
    model: Sam = random_sam()
    scale = SIDE / max(size)
    input_size = tuple(int(length * scale + 0.5) for length in size)
    maps = torch.randn(3, 4 * GRID, 4 * GRID)

    ours = Upsampler.from_padded(4 * GRID, SIDE, input_size, size).upsample(maps)

    theirs = model.postprocess_masks(maps[None], input_size, size)[0]
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def test_squashed_maps_are_stretched_to_the_image():
    maps = torch.randn(2, 16, 16)

    ours = Upsampler.from_squashed(16, (30, 50)).upsample(maps)

    theirs = torch.nn.functional.interpolate(maps[None], (30, 50), mode="bilinear", align_corners=False)[0]
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("at_once", [1, 1 << 22])
def test_stability_and_boxes_are_the_librarys(monkeypatch, at_once):
    monkeypatch.setattr(candidates, "_MAX_PIXELS_PER_STEP", at_once)
    frame, maps = Upsampler.from_squashed(40, (60, 90)), bumps(4)

    found = select_stable(maps, torch.ones(4), frame, OPEN)

    logits = frame.upsample(maps)
    torch.testing.assert_close(found.stability, calculate_stability_score(logits, 0.0, 1.0))
    torch.testing.assert_close(found.boxes, batched_mask_to_box(logits > 0))


def test_an_empty_mask_has_the_box_that_the_library_gives_it():
    found = select_stable(
        torch.full((1, 40, 40), -9.0), torch.ones(1), Upsampler.from_squashed(40, (60, 90)), OPEN
    )

    assert found.boxes.tolist() == [[0, 0, 0, 0]]
    assert found.stability.isnan().all()


def test_what_changes_with_the_threshold_is_dropped():
    steady, wavering = bumps(2)
    settings = replace(OPEN, stability_score_thresh=0.6)

    found = select_stable(
        torch.stack([steady, 0.1 * wavering]), torch.ones(2), Upsampler.from_squashed(40, (40, 40)), settings
    )

    assert found.boxes.tolist() == batched_mask_to_box(steady[None] > 0).tolist()


def test_a_threshold_of_zero_refuses_nobody():
    scores = torch.tensor([-0.2, 0.0, 0.4])

    assert find_trusted(scores, OPEN).tolist() == [True, True, True]
    assert find_trusted(scores, replace(OPEN, pred_iou_thresh=0.1)).tolist() == [False, False, True]


def test_of_two_with_nearly_the_same_box_the_better_one_stays_and_comes_first():
    maps = bumps(3)[[0, 0, 2]]
    frame = Upsampler.from_squashed(40, (60, 60))
    parts = [select_stable(some, scores, frame, OPEN) for some, scores in (
        (maps[:1], torch.tensor([0.5])), (maps[1:], torch.tensor([0.6, 0.9]))
    )]  # fmt: skip

    found = suppress_duplicates(parts, frame, OPEN)

    assert found.predicted_iou.tolist() == pytest.approx([0.9, 0.6])
    np.testing.assert_array_equal(found.masks, (frame.upsample(maps[[2, 1]]) > 0).numpy())


def test_small_pieces_and_holes_go_and_with_them_masks_that_become_the_same():
    whole = rectangle((40, 40), 5, 5, 30, 30)
    torn = whole.copy()
    torn[10:12, 10:12] = False
    torn[35, 35] = True
    found = GeneratedMasks(
        np.array([torn, whole]), np.array([0.9, 0.8], np.float32), np.array([0.7, 0.6], np.float32)
    )

    cleaned = drop_small_regions(found, replace(OPEN, min_mask_region_area_px=6))

    np.testing.assert_array_equal(cleaned.masks, whole[None])
    assert cleaned.predicted_iou.tolist() == pytest.approx([0.8])

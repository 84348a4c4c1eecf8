"""The GPU and the CPU compute the same: `make test-gpu`, on a machine with a GPU.

`RIS_TEST_DEVICE` names another device than "cuda"; with "cpu" the tests run on any machine.
"""

import os
import random

import numpy as np
import pytest
import torch

from ris.assembly import load_pipeline
from ris.config import Settings
from ris.core.masks import compute_iou_matrix
from ris.core.proposals import Prompts
from ris.core.types import Image
from ris.planning import make_plan
from ris.tinyworld.expressions import make_expressions
from ris.tinyworld.scene import make_scene

pytestmark = pytest.mark.gpu

DEVICE = os.environ.get("RIS_TEST_DEVICE", "cuda")
SCENES = 4


@pytest.fixture(scope="module")
def pipelines():
    """The pipeline on the CPU and on the device, both in float32."""
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    return tuple(load_pipeline(make_plan(Settings(device=device))) for device in ("cpu", DEVICE))


@pytest.fixture(scope="module")
def drawn():
    rng = random.Random(61)
    worlds = [make_scene(rng, split="train") for _ in range(SCENES)]
    return [
        (Image.from_pixels(np.asarray(world.image)), [e.text for e in make_expressions(world, rng)][:8])
        for world in worlds
    ]  # fmt: skip


def test_the_same_masks_are_proposed(pipelines, drawn):
    for image, _ in drawn:
        ours, theirs = (pipeline.see(image) for pipeline in pipelines)

        assert len(ours.masks) == len(theirs.masks) > 0
        assert compute_iou_matrix(ours.masks, theirs.masks).diagonal().min() >= 0.99


def test_features_of_the_same_masks_agree(pipelines, drawn):
    for image, _ in drawn:
        proposals = pipelines[0].proposer.propose(image)
        for one, other in zip(pipelines[0].methods, pipelines[1].methods, strict=True):
            ours, theirs = one.see(image, proposals), other.see(image, proposals)
            assert ours.keys() == theirs.keys()
            for name in ours:
                np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-3, atol=1e-3)


def test_scores_agree_and_the_same_alternative_comes_first(pipelines, drawn):
    for image, expressions in drawn:
        scene = pipelines[0].see(image)
        for one, other in zip(
            *(pipeline.refer_all(scene, expressions) for pipeline in pipelines), strict=True
        ):
            assert one.suggestions[0].mask == other.suggestions[0].mask
            for ours, theirs in zip(one.scores, other.scores, strict=True):
                np.testing.assert_allclose(ours.scores, theirs.scores, rtol=1e-2, atol=2e-2)


def test_a_click_gives_the_same_mask(pipelines, drawn):
    for image, _ in drawn:
        scene = pipelines[0].see(image)
        x1, y1, x2, y2 = scene.boxes[0]
        middle = np.array([[(x1 + x2) / 2, (y1 + y2) / 2]], np.float32)
        prompts = Prompts(scene.size, middle, np.array([True]))
        ours, theirs = (pipeline.refiner.refine(scene, prompts) for pipeline in pipelines)

        assert len(ours) == len(theirs) > 0
        for a, b in zip(ours.masks, theirs.masks, strict=True):
            assert np.count_nonzero(a & b) / np.count_nonzero(a | b) >= 0.99

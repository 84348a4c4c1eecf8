import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ris.core import rle
from ris.core.masks import compute_iou
from ris.core.proposals import Prompts
from ris.core.types import Image
from ris.pretrained.masks.settings import GroupingSettings
from ris.pretrained.regions.proposer import GroupingProposer
from ris.pretrained.regions.refiner import GrabCutRefiner
from ris.referring.scene import PROPOSER_KEY, Scene

RED, BLUE = (30, 40), (90, 40)


def see(image, **changes):
    features = GroupingProposer(GroupingSettings(**changes)).propose(image).features
    return Scene(image.digest, image.size, (), (), np.zeros(0, np.float32), {PROPOSER_KEY: features})


@pytest.fixture(scope="module")
def scene(things):
    return see(things)


def refine(scene, positive=(), negative=(), **more):
    points = np.array([*positive, *negative], np.float32).reshape(-1, 2)
    flags = np.array([True] * len(positive) + [False] * len(negative), np.bool_)
    proposals = GrabCutRefiner(GroupingSettings()).refine(scene, Prompts(scene.size, points, flags, **more))
    return [np.array(mask) for mask in proposals.masks]


def test_a_click_cuts_out_the_thing(scene, mask_named):
    (mask,) = refine(scene, [RED])

    assert compute_iou(mask, mask_named("red")) > 0.95


def test_a_box_cuts_out_what_is_in_it(scene, mask_named):
    (mask,) = refine(scene, box=(8, 17, 53, 64))

    assert compute_iou(mask, mask_named("red")) > 0.9


def test_a_thin_stroke_is_inside_and_means_what_it_crosses(scene, mask_named):
    stroke = np.zeros(scene.size, np.bool_)
    stroke[40, 15:45] = True

    (mask,) = refine(scene, mask=rle.encode_rle(stroke), box=(15, 40, 45, 41))

    assert mask[stroke].all() and compute_iou(mask, mask_named("red")) > 0.9


def test_a_mask_to_start_from_is_followed(scene, mask_named):
    start = rle.encode_rle(np.roll(mask_named("red", "white"), 2, 1))

    (mask,) = refine(scene, [RED], mask=start)

    assert compute_iou(mask, mask_named("red", "white")) > 0.85


def test_clicks_add_and_remove_things(scene, mask_named):
    (both,) = refine(scene, [RED, BLUE])
    (one,) = refine(scene, [RED], [BLUE], box=(10, 20, 110, 60))

    assert compute_iou(both, mask_named("red", "blue")) > 0.9
    assert not one[40, 90] and one[40, 30]


def test_without_anything_positive_there_is_no_mask(scene):
    assert refine(scene, [], [RED]) == []
    assert refine(scene) == []


places = st.tuples(st.integers(-5, 130), st.integers(-5, 90))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(places, min_size=1, max_size=4), st.lists(places, max_size=3))
def test_a_positive_click_is_always_inside_and_a_negative_never(scene, positive, negative):
    def clip(points):
        return {(min(max(x, 0), 119), min(max(y, 0), 79)) for x, y in points}

    inside, outside = clip(positive), clip(negative)

    masks = refine(scene, positive, negative)

    for mask in masks:
        assert all(mask[y, x] for x, y in inside - outside)
        assert not any(mask[y, x] for x, y in outside)
    assert masks or not inside - outside


@pytest.mark.parametrize("box", [(30, 40, 30, 40), (-50, -50, -10, -10), (0, 0, 120, 80), (500, 20, 600, 30)])
def test_a_box_of_any_kind_is_answered(scene, box):
    assert all(mask.shape == scene.size and mask.any() for mask in refine(scene, box=box))


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (64, 64)])
def test_a_click_on_an_even_image_is_answered(shape):
    image = Image.from_pixels(np.full((*shape, 3), 60, np.uint8))

    (mask,) = refine(see(image), [(0, 0)])

    assert mask.shape == shape and mask[0, 0]


def test_masks_of_a_large_image_are_of_its_size(things, mask_named):
    large = Image.from_pixels(np.ascontiguousarray(things.pixels.repeat(12, 0).repeat(12, 1)))

    (mask,) = refine(see(large), [(30 * 12, 40 * 12)])

    assert mask.shape == (960, 1440)
    assert compute_iou(mask, mask_named("red").repeat(12, 0).repeat(12, 1)) > 0.95

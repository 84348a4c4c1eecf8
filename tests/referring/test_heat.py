import numpy as np
import pytest
import torch

from ris.referring.heat import (
    compute_heat_shares,
    count_parts,
    enlarge_heat,
    make_position_ramp,
    scale_to_unit,
)
from tests.builders.masks import make_proposals, rectangle

RANDOM = np.random.default_rng(7)


def test_a_flat_map_is_nought():
    assert scale_to_unit(np.full(4, 3, np.float32)).tolist() == [0, 0, 0, 0]


def test_enlarging_agrees_with_pytorchs_bicubic():
    heat = RANDOM.random((5, 5)).astype(np.float32)

    wanted = torch.nn.functional.interpolate(
        torch.tensor(heat)[None, None], (37, 53), mode="bicubic", align_corners=False
    )

    np.testing.assert_allclose(enlarge_heat(heat, (37, 53)), wanted[0, 0].numpy(), atol=1e-5)


def test_parts_that_touch_by_a_corner_are_two():
    assert count_parts(np.eye(2, dtype=np.bool_)) == 2


def test_heat_shares_sum_the_enlarged_map_inside_each_mask():
    proposals = make_proposals(RANDOM.random((37, 53)) > 0.7, rectangle((37, 53), 3, 4, 20, 9))
    heat = RANDOM.random((4, 4)).astype(np.float32)

    sums = compute_heat_shares(proposals, 4) @ heat.ravel()

    large = enlarge_heat(heat, (37, 53))
    np.testing.assert_allclose(sums, [large[mask].sum() for mask in proposals.masks], rtol=1e-4)


@pytest.mark.parametrize(
    ("text", "corner"),
    [("the left mug", "left"), ("top right", "top right"), ("laptop upright", ""), ("the mug", "")],
)
def test_ramps_lean_to_the_side_that_is_named_by_a_whole_word(text, corner):
    leaned = make_position_ramp(text, 3)

    assert leaned.mean() == pytest.approx(1.0)
    if not corner:
        assert (leaned == 1).all()
    elif corner == "left":
        assert leaned[0].tolist() == [1.5, 1.0, 0.5]
    else:
        assert leaned[0, 2] == leaned.max() == 2.25

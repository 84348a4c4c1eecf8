import numpy as np
import pytest

from ris.core.proposals import Proposals
from ris.core.stack import MaskStack


def test_proposals_say_the_shape_that_is_wanted_and_the_one_they_got():
    masks = MaskStack.from_masks(np.ones((3, 5, 5), np.bool_), (5, 5))

    with pytest.raises(ValueError, match=r"boxes must be float32 \[3, 4\], got float32 \[2, 4\]"):
        Proposals(masks, np.zeros((2, 4), np.float32), np.zeros(3, np.float32))


def test_proposals_have_the_tight_boxes_of_their_masks():
    masks = np.zeros((2, 5, 6), np.bool_)
    masks[0, 1:3, 2:6] = masks[1, 4, 0] = True

    proposals = Proposals.from_masks(masks, (5, 6), np.ones(2, np.float32))

    assert proposals.boxes.tolist() == [[2, 1, 6, 3], [0, 4, 1, 5]]
    assert np.asarray(Proposals.from_masks([], (5, 6), np.ones(0, np.float32)).masks).shape == (0, 5, 6)


def test_proposals_refuse_an_empty_mask():
    with pytest.raises(ValueError, match="an empty mask has no box"):
        Proposals.from_masks(np.zeros((1, 5, 5), np.bool_), (5, 5), np.zeros(1, np.float32))

from dataclasses import replace

import numpy as np
import pytest

from ris.referring.unions import find_union_members
from tests.builders.masks import make_scene, rectangle

SIZE = (20, 20)
DOGS = rectangle(SIZE, 0, 0, 4, 4), rectangle(SIZE, 8, 0, 12, 4), rectangle(SIZE, 0, 10, 6, 16)


@pytest.mark.parametrize(
    ("fused", "count", "members"),
    [((0.5, 0.3, 0.2), 2, (0, 1)), ((0.2, 0.3, 0.5), 0, (2, 1)), ((0.8, 0.1, 0.1), 0, ()),
     ((0.5, 0.3, 0.2), 4, ())],
)  # fmt: skip
def test_the_best_that_do_not_overlap_are_together(fused, count, members):
    assert find_union_members(make_scene(*DOGS), np.array(fused), count) == members


@pytest.mark.parametrize(("fused", "members"), [((0.3, 0.2, 0.5), ()), ((0.5, 0.3, 0.2), (0, 1))])
def test_what_is_several_things_already_is_no_member(fused, members):
    both = DOGS[0] | DOGS[1]
    scene = replace(make_scene(*DOGS[:2], both), late=("grounder",), joint=(2,))

    assert find_union_members(scene, np.array(fused), 2) == members

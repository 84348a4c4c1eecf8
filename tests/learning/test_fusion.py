from dataclasses import replace

import numpy as np
import pytest

from ris.learning.case import TrainingCase
from ris.learning.fusion import _compute_cost, _make_batch, fit_fusion
from tests.learning.worlds import PRIOR, cases, mean_iou


def test_the_method_that_is_right_gets_the_weight():
    found = fit_fusion(cases(150), PRIOR).fusion

    assert found.weights["eyes"] > 0.8
    assert sum(found.weights.values()) == pytest.approx(1)
    held_out = cases(150, seed=1)
    assert mean_iou(held_out, replace(PRIOR, fusion=found)) > mean_iou(held_out, PRIOR) + 0.05


def test_each_kind_of_expression_has_its_own_weights_where_there_is_enough_to_learn_from():
    found = fit_fusion(
        cases(90, kind="size")
        + cases(90, kind="relation", good=("ears",), seed=1)
        + cases(6, kind="ordinal"),
        PRIOR,
    )

    assert sorted(found.by_kind) == ["relation", "size"]
    assert found.by_kind["size"].weights["eyes"] > 0.8
    assert found.by_kind["relation"].weights["ears"] > 0.8


def test_nothing_to_learn_from_leaves_the_prior():
    never_right = [replace(one, ious=0 * one.ious) for one in cases(40)]

    assert fit_fusion([], PRIOR) == PRIOR
    assert fit_fusion(never_right, PRIOR) == PRIOR


def test_the_slope_is_that_of_the_cost():
    batch = _make_batch(cases(12, good=("eyes", "ears")), ["ears", "eyes"], np.ones(2))
    at, step = np.array([0.3, 0.8]), 1e-6

    numeric = [
        (_compute_cost(batch, at + step * unit)[0] - _compute_cost(batch, at - step * unit)[0]) / (2 * step)
        for unit in np.eye(2)
    ]

    assert _compute_cost(batch, at)[1] == pytest.approx(np.array(numeric), rel=1e-5)


def test_cases_with_fewer_proposals_or_methods_are_learned_from_too():
    two = TrainingCase("plain", "x", {"ears": np.array([0, 1], np.float32)}, np.ones(2), np.array([0.0, 0.9]))

    found = fit_fusion([*cases(60), *[replace(two, image=f"x{i}") for i in range(20)]], PRIOR).fusion

    assert found.weights["eyes"] > 0.3
    assert all(np.isfinite([*found.weights.values(), *found.temperatures.values()]))


def test_when_no_method_is_any_good_the_fusion_is_sure_of_nothing_and_still_a_fusion():
    found = fit_fusion(cases(300, good=()), PRIOR)
    fused = cases(1, seed=9)[0].fuse(found)

    assert fused.sum() == pytest.approx(1)
    assert fused.max() < 0.5

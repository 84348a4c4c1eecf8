import numpy as np
import pytest
import torch

from benchmarks.products import make_ways, measure_rates
from benchmarks.speed import compare_results, count_operations

FEATURES = np.array([[1.0, -2.0], [0.5, 0.25]], np.float32)


@pytest.mark.parametrize(
    ("name", "most"), [("texts, fp32", 1e-4), ("texts, bf16", 0.1), ("Grad-CAM, fp32", 1e-3)]
)
def test_results_of_both_ways_may_differ_by_rounding_only(name, most):
    compare_results(name, FEATURES, FEATURES + np.float32(1.9 * most))
    with pytest.raises(AssertionError, match=name):
        compare_results(name, FEATURES, FEATURES + np.float32(2.1 * most))


def test_masks_of_both_ways_must_be_as_many_and_alike():
    masks = np.zeros((2, 20, 20), np.bool_)
    masks[:, :10] = True
    other = masks.copy()
    other[1, 0] = False

    compare_results("SAM", masks, masks.copy())
    for wrong in (other, masks[:1]):
        with pytest.raises(AssertionError, match="SAM"):
            compare_results("SAM", masks, wrong)


def test_operations_are_those_of_the_products_and_of_their_gradients():
    rows, weight = torch.ones(3, 5, requires_grad=True), torch.ones(7, 5)

    assert count_operations(lambda: rows @ weight.T) == 2 * 3 * 5 * 7
    assert count_operations(lambda: (rows @ weight.T).sum().backward()) == 2 * 2 * 3 * 5 * 7


def test_all_ways_of_a_product_are_measured_and_equal():
    ways = make_ways(20, 16, 32)

    rates = measure_rates(ways, 2 * 20 * 16 * 32 / 1e9, rounds=1)

    assert len(rates) == len(ways) > 5
    assert all(rate > 0 for rate in rates)

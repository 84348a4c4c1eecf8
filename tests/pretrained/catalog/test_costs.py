import pytest

from ris.pretrained.catalog.costs import (
    IMAGE_COSTS,
    ImageCost,
    estimate_seconds,
    get_image_cost,
    measure_product_rate,
)
from ris.pretrained.catalog.presets import PRESETS


def test_measured_seconds_stay_and_others_are_arithmetic_over_the_rate():
    assert estimate_seconds(ImageCost(cpu_s=1.2, tflop=9.0), 0.5) == 1.2
    assert estimate_seconds(ImageCost(tflop=2.9), 0.5) == pytest.approx(5.8)
    assert estimate_seconds(ImageCost(), 0.5) is None


def test_a_preset_of_a_user_was_not_measured():
    assert get_image_cost("mine") == ImageCost(basis="not measured")


def test_every_figure_is_of_a_preset_that_exists():
    assert set(IMAGE_COSTS) <= set(PRESETS)


def test_the_rate_of_a_machine_is_positive():
    assert measure_product_rate() > 0

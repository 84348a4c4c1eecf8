"""The estimate of what a JSON text costs in memory."""

import json
import tracemalloc

import pytest

from ris.errors import OversizedError
from ris.labelstudio.json_cost import FREE_BYTES, MAX_GROWTH, check_json_cost, estimate_json_bytes
from tests.builders.webhooks import body

REGION = {
    "original_width": 800, "original_height": 600, "image_rotation": 0, "id": "Ab12", "from_name": "mask",
    "to_name": "image", "type": "rectanglelabels", "origin": "manual",
    "value": {"x": 12.5, "y": 40.25, "width": 10.125, "height": 7.5, "rotation": 0, "labels": ["1st"]},
}  # fmt: skip
SHAPES = {
    "run lengths": [12, 255, 0, 7] * 20_000,
    "points": [[12.345678901234, 45.678901234567]] * 5_000,
    "regions": [REGION] * 1_000,
    "prose": ["the red mug, on the left: [1]. " * 5_000],
    "webhooks": [body()] * 300,
    "empty objects": [{}] * 50_000,
    "empty lists": [[]] * 50_000,
    "short texts": [f"{number}" for number in range(50_000)],
}


@pytest.mark.parametrize("value", [SHAPES[name] for name in SHAPES if name != "prose"])
def test_the_estimate_is_of_the_order_of_what_is_measured(value):
    text = json.dumps(value).encode()
    tracemalloc.start()
    parsed = json.loads(text)
    n_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert parsed == value
    assert 0.4 < estimate_json_bytes(text) / n_bytes < 2.5


LARGE = ("run lengths", "points", "regions", "prose", "webhooks")


@pytest.mark.parametrize("shape", LARGE)
def test_what_label_studio_sends_is_not_refused_however_large(shape):
    text = json.dumps(SHAPES[shape]).encode()

    check_json_cost(text * (FREE_BYTES // len(text) + 1), "/webhook")


def test_a_small_text_is_never_refused():
    text = b"{}," * (FREE_BYTES // 3)
    assert estimate_json_bytes(text) > MAX_GROWTH * len(text)

    check_json_cost(text, "/webhook")
    with pytest.raises(
        OversizedError, match="the body of /webhook has 4 MB of very small values, .*: send fewer"
    ):
        check_json_cost(text + b"{},", "/webhook")

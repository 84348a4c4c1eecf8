import pytest
import torch

from backend.pretrained.products import through, times


@pytest.mark.parametrize("shape", [(32, 5), (2, 16, 5), (3, 7, 5), (7, 5), (0, 5)], ids=str)
def test_products_are_those_of_a_linear_layer(shape):
    layer = torch.nn.Linear(5, 3)
    rows = torch.randn(shape)

    with torch.inference_mode():
        made, plain = through(rows, layer), layer(rows)

    assert made.is_contiguous()
    torch.testing.assert_close(made, plain)
    torch.testing.assert_close(times(rows, layer.weight), rows @ layer.weight.T)

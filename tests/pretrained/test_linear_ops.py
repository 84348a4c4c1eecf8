import pytest
import torch

from ris.pretrained.linear_ops import FastLinear, fast_linear, fast_matmul, use_fast_linear


@pytest.mark.parametrize(
    "shape", [(640, 5), (8, 80, 5), (3, 217, 5), (32, 5), (3, 7, 5), (1, 5), (0, 5)], ids=str
)
@pytest.mark.parametrize("n_out", [48, 3])
def test_products_are_those_of_a_linear_layer(shape, n_out):
    layer = torch.nn.Linear(5, n_out)
    rows = torch.randn(shape)

    with torch.inference_mode():
        made, plain = fast_linear(rows, layer), layer(rows)

    assert made.is_contiguous()
    torch.testing.assert_close(made, plain)
    torch.testing.assert_close(fast_matmul(rows, layer.weight), rows @ layer.weight.T)


def test_a_quickened_network_answers_and_learns_as_before():
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(5, 48), torch.nn.GELU(), torch.nn.Linear(48, 16))
    rows = torch.randn(150, 5, requires_grad=True)
    before = network(rows)
    (slope,) = torch.autograd.grad(before.sum(), rows)

    after = use_fast_linear(network)(rows)
    (slope_after,) = torch.autograd.grad(after.sum(), rows)

    assert [type(layer) for layer in network] == [FastLinear, torch.nn.GELU, FastLinear]
    torch.testing.assert_close(after, before)
    torch.testing.assert_close(slope_after, slope)


def test_layers_kept_in_bf16_stay_so():
    layer = torch.nn.Linear(32, 16)
    quick = use_fast_linear(torch.nn.Sequential(layer)).to(torch.bfloat16)

    assert quick(torch.randn(128, 32).to(torch.bfloat16)).dtype == torch.bfloat16

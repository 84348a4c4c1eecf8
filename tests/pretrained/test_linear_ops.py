import pytest
import torch

from ris.pretrained import linear_ops
from ris.pretrained.linear_ops import FastLinear, fast_matmul, find_linear_layers, pack_layers
from tests.builders.speeds import FixedSpeeds

SHAPES = [(640, 5), (8, 80, 5), (3, 217, 5), (32, 5), (3, 7, 5), (1, 5), (0, 5)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("n_out", [48, 3])
@pytest.mark.parametrize("packed_from", [None, 0, 8, 128])
def test_a_layer_gives_the_same_by_every_way(shape, n_out, packed_from):
    layer = torch.nn.Linear(5, n_out)
    rows = torch.randn(shape)
    with torch.inference_mode():
        wanted = layer(rows)

        pack_layers([layer], FixedSpeeds(packed_from))
        made = layer(rows)

    assert made.is_contiguous()
    torch.testing.assert_close(made, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("is_faster", [True, False])
def test_a_product_with_a_new_weight_is_the_same_by_both_ways(monkeypatch, shape, is_faster):
    monkeypatch.setattr(linear_ops, "is_unpacked_faster", lambda *_: is_faster)
    rows, weight, bias = torch.randn(shape), torch.randn(48, 5), torch.randn(48)

    torch.testing.assert_close(fast_matmul(rows, weight), rows @ weight.T, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(fast_matmul(rows, weight, bias), rows @ weight.T + bias, rtol=1e-5, atol=1e-5)


def test_a_product_with_a_new_weight_is_measured_by_sizes_of_powers_of_two(monkeypatch):
    asked = []
    monkeypatch.setattr(linear_ops, "is_unpacked_faster", lambda *sizes: asked.append(sizes[:3]))
    for n_rows, n_in, n_out in ((1, 1, 1), (7, 8, 9), (5000, 100, 3000)):
        fast_matmul(torch.ones(n_rows, n_in), torch.ones(n_out, n_in))

    assert asked == [(1, 1, 1), (4, 8, 8), (1024, 64, 2048)]


def test_the_packed_way_is_taken_from_the_measured_number_of_rows_on():
    layer = torch.nn.Linear(5, 4)
    pack_layers([layer], FixedSpeeds(32))
    layer.packed = torch.ops.mkldnn._reorder_linear_weight(torch.zeros(4, 5), 64)  # to see who is asked
    layer.bias.zero_()

    assert layer(torch.randn(31, 5)).any()
    assert not layer(torch.randn(32, 5)).any()
    assert layer(torch.randn(3, 10, 5)).any()
    assert not layer(torch.randn(4, 8, 5)).any()


@pytest.mark.parametrize(
    ("packed_from", "keeps_weights", "size"),
    [(0, False, 0), (0, True, 20), (8, False, 20), (None, False, 20)],
)
def test_a_weight_is_in_memory_twice_only_where_it_is_read(packed_from, keeps_weights, size):
    layer = torch.nn.Linear(5, 4)

    pack_layers([layer], FixedSpeeds(packed_from), keeps_weights=keeps_weights)

    assert type(layer) is FastLinear
    assert layer.weight.numel() == size
    assert layer.weight.dtype == torch.float32


def test_rows_with_a_gradient_are_multiplied_by_the_weight_itself():
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(5, 48), torch.nn.GELU(), torch.nn.Linear(48, 16))
    rows = torch.randn(150, 5, requires_grad=True)
    before = network(rows)
    (slope,) = torch.autograd.grad(before.sum(), rows)

    pack_layers(find_linear_layers(network), FixedSpeeds(0), keeps_weights=True)
    after = network(rows)
    (slope_after,) = torch.autograd.grad(after.sum(), rows)

    torch.testing.assert_close(after, before)
    torch.testing.assert_close(slope_after, slope)


def test_a_layer_in_bf16_stays_so_under_autocast_too():
    layer = torch.nn.Linear(32, 16).to(torch.bfloat16)
    rows = torch.randn(128, 32)
    wanted = layer(rows.to(torch.bfloat16))
    pack_layers([layer], FixedSpeeds(0))

    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        made = layer(rows)

    assert made.dtype == torch.bfloat16
    torch.testing.assert_close(made, wanted, rtol=0.02, atol=0.02)


def test_a_layer_that_shares_its_weight_is_left_alone():
    network = torch.nn.ModuleList([torch.nn.Embedding(7, 5), torch.nn.Linear(5, 7), torch.nn.Linear(5, 5)])
    network[1].weight = network[0].weight

    assert list(find_linear_layers(network)) == [network[2]]
    assert list(find_linear_layers(network[1])) == [network[1]]


def test_layers_of_other_kinds_are_left_alone():
    network = torch.nn.ModuleList([torch.nn.MultiheadAttention(4, 2), torch.nn.Conv2d(3, 3, 1)])

    assert not list(find_linear_layers(network))

import pytest
import torch
from open_clip.transformer import QuickGELU, ResidualAttentionBlock
from torch import nn

from ris.errors import WeightsError
from ris.pretrained.clip.block import check_block, run_block


@pytest.fixture(
    params=[(nn.GELU, None), (QuickGELU, None), (QuickGELU, 0.5)], ids=["gelu", "quick", "scaled"]
)
def block(request):
    activation, scale = request.param
    torch.manual_seed(1)
    made = ResidualAttentionBlock(48, 3, act_layer=activation, ls_init_value=scale).eval()
    for weight in made.parameters():  # its own start has biases of 0
        nn.init.normal_(weight, std=0.3)
    return made


@pytest.fixture
def tokens():
    return torch.randn(5, 11, 48, generator=torch.Generator().manual_seed(2))


@torch.inference_mode()
def test_all_rows_are_what_the_library_makes_of_them(block, tokens):
    torch.testing.assert_close(run_block(block, tokens, n_rows=11), block(tokens), rtol=1e-5, atol=1e-5)


@torch.inference_mode()
@pytest.mark.parametrize("n_rows", [1, 4])
def test_the_first_rows_are_the_same_without_the_others(block, tokens, n_rows):
    torch.testing.assert_close(
        run_block(block, tokens, n_rows=n_rows), block(tokens)[:, :n_rows], rtol=1e-5, atol=1e-5
    )  # fmt: skip


@torch.inference_mode()
def test_a_token_that_stands_for_three_counts_three_times(block, tokens):
    three = torch.cat([tokens[:, :8], tokens[:, 8:9].expand(-1, 3, -1)], 1)
    bias = torch.zeros(5, 1, 1, 9)
    bias[..., 8] = torch.tensor(3.0).log()

    torch.testing.assert_close(
        run_block(block, tokens[:, :9], n_rows=8, bias=bias), block(three)[:, :8], rtol=1e-5, atol=1e-5
    )  # fmt: skip


@torch.inference_mode()
def test_what_came_in_is_left_as_it_was(block, tokens):
    before = tokens.clone()

    run_block(block, tokens, n_rows=11)

    assert torch.equal(tokens, before)


def test_a_block_of_another_build_is_refused():
    with pytest.raises(WeightsError, match="plain transformer blocks with GELU, got Linear"):
        check_block(nn.Linear(2, 2))

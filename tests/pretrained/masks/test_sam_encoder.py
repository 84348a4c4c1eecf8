from pathlib import Path

import pytest
import torch

from ris.pretrained.masks import sam_encoder
from ris.pretrained.masks.sam import load_sam
from ris.pretrained.masks.sam_encoder import encode_sam_image
from tests.pretrained.toy_sam import GRID, SIDE, random_sam

TINY_SAM = Path(sam_encoder.__file__).parents[1] / "tiny" / "sam"


def test_the_embedding_is_the_librarys():
    encoder = random_sam().image_encoder
    image = torch.randn(1, 3, SIDE, SIDE)

    with torch.inference_mode():
        ours, theirs = encode_sam_image(encoder, image), encoder(image)

    assert ours.is_contiguous()
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rows", [1, 3], ids="{} rows at once".format)
def test_attention_in_parts_is_attention(monkeypatch, rows):
    monkeypatch.setattr(sam_encoder, "_MAX_BIASES_PER_STEP", rows * GRID**3)
    encoder = random_sam(1).image_encoder
    image = torch.randn(1, 3, SIDE, SIDE)

    with torch.inference_mode():
        ours, theirs = encode_sam_image(encoder, image), encoder(image)

    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_the_embedding_of_the_embedded_network_is_the_librarys_too():
    """It has no windows and no positions between tokens."""
    encoder = load_sam(TINY_SAM).image_encoder
    image = torch.randn(1, 3, encoder.img_size, encoder.img_size)

    with torch.inference_mode():
        ours, theirs = encode_sam_image(encoder, image), encoder(image)

    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)

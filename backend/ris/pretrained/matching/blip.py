"""BLIP's image-text matching through transformers."""

from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, BlipForImageTextRetrieval

from ris.errors import WeightsError
from ris.pretrained.device import Precision
from ris.pretrained.hf_loading import load_complete_network
from ris.pretrained.matching.cross_matcher import CrossMatcher, MatchingParts


def make_blip_parts(model: Any) -> MatchingParts:
    """Get the parts of a `BlipForImageTextRetrieval`.

    The forward pass of its text encoder is not used: in transformers 5.23 it does not pass the image's mask
    to the cross-attention.
    """
    vision, text = model.config.vision_config, model.config.text_config
    return MatchingParts(
        network=model,
        see=lambda pixels: model.vision_model(pixel_values=pixels).last_hidden_state,
        embed=lambda ids: model.text_encoder.embeddings(input_ids=ids),
        layers=model.text_encoder.encoder.layer,
        head=model.itm_head,
        input_size=vision.image_size,
        grid_size=vision.image_size // vision.patch_size,
        n_heads=text.num_attention_heads,
        max_tokens=text.max_position_embeddings,
    )


def load_blip(
    folder: Path, *, layer: int, device: str = "cpu", precision: Precision = "fp32"
) -> CrossMatcher:
    """Load the BLIP matcher in a transformers model folder: config, safetensors weights and tokenizer.

    Args:
        folder: the folder.
        layer: text layer whose cross-attention is read, 0-based.
        device: where it runs.
        precision: of `CrossMatcher`.

    Raises:
        WeightsError: a file is missing, cannot be read, or lacks weights of the network.
    """
    if not (folder / "tokenizer.json").is_file():
        raise WeightsError(f"the model lacks {folder / 'tokenizer.json'}; fetch or install it again")
    model = load_complete_network(BlipForImageTextRetrieval, folder).to(device)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return CrossMatcher(make_blip_parts(model), tokenizer, layer=layer, precision=precision)

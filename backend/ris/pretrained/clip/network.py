"""Shared by CLIP's ViTs and ResNets: reading an open_clip folder, encoding texts, batches."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from open_clip.transformer import text_global_pool

from ris.errors import WeightsError
from ris.pretrained.clip.block import apply_norm, check_block, pack_block, run_block
from ris.pretrained.device import Precision
from ris.pretrained.linear_speed import LinearSpeeds

_IMAGES_PER_BATCH = {"cpu": 16}  # the states of ViT-B/32 take 10 MB, which is near a cache's size
_DEFAULT_IMAGES_PER_BATCH = 64  # on other devices
_TEXT_BATCH_SIZE = 256
_CONFIG_FILE = "open_clip_config.json"


def read_clip(folder: Path, *, device: str = "cpu", precision: Precision = "fp32") -> tuple[Any, Any]:
    """Read an open_clip model folder (config and safetensors weights): the network and its tokenizer.

    open_clip has the tokenizer of OpenAI's networks. Only a config that names another tokenizer
    (`hf_tokenizer_name`) needs a `tokenizer.json` in the folder.

    Raises:
        WeightsError: a file is missing or cannot be read. open_clip itself only warns and continues with
            random weights.
    """
    _check_files(folder, _CONFIG_FILE, "open_clip_model.safetensors")
    schema = f"local-dir:{folder}"
    try:
        text_config = json.loads((folder / _CONFIG_FILE).read_text())["model_cfg"]["text_cfg"]
        if text_config.get("hf_tokenizer_name"):
            _check_files(folder, "tokenizer.json")
        model = open_clip.create_model(schema, device=device, require_pretrained=True)
        for block in model.transformer.resblocks:
            check_block(block)
        if precision == "bf16":
            model = model.to(torch.bfloat16)
        return model.eval(), open_clip.get_tokenizer(schema)
    except WeightsError:
        raise
    except Exception as error:  # open_clip, safetensors and tokenizers have errors of their own
        reason = " ".join(str(error).split())[:300]
        raise WeightsError(f"the CLIP model in {folder} is damaged: {reason}; install it again") from error


def _check_files(folder: Path, *names: str) -> None:
    for name in names:
        if not (folder / name).is_file():
            raise WeightsError(f"the CLIP model lacks {folder / name}; install the package again")


def pack_clip(model: Any, speeds: LinearSpeeds) -> None:
    """Pack the weights of the transformer blocks, in place, where that is faster on this machine.

    After that the network is of use to our encoders only, not to open_clip's own methods.
    """
    for block in model.transformer.resblocks:
        pack_block(block, speeds)
    visual = getattr(model.visual, "transformer", None)  # a ResNet has none
    blocks = [] if visual is None else list(visual.resblocks)
    for block in blocks:
        pack_block(block, speeds, is_class_only=block is blocks[-1])


@torch.inference_mode()
def encode_texts(model: Any, tokenizer: Any, texts: Sequence[str]) -> NDArray[np.float32]:
    """Encode T texts as unnormalised features float32 [T, D]; long texts are cut, keeping the end token."""
    if not texts:
        return concatenate_features(model, [])
    ids = tokenizer(list(texts)).to(get_weight(model).device)
    return concatenate_features(
        model, [encode_token_ids(model, batch) for batch in ids.split(_TEXT_BATCH_SIZE)]
    )


def encode_token_ids(model: Any, ids: torch.Tensor) -> torch.Tensor:
    """Encode token ids [T, L] as unnormalised features [T, D], as open_clip's `encode_text`.

    Tokens after the longest text's end token are cut. That is exact: under the causal mask no earlier token
    attends to them.
    """
    if model.attn_mask is not None and model.text_pool_type in ("argmax", "eos"):
        ends = ids if model.text_pool_type == "argmax" else (ids == model.text_eos_id).int()
        ids = ids[:, : int(ends.argmax(-1).max()) + 1]
    length = ids.shape[1]
    mask = None if model.attn_mask is None else model.attn_mask[:length, :length]
    tokens = model.token_embedding(ids).float() + model.positional_embedding[:length].float()
    bias = None if mask is None else mask.to(get_weight(model))[None, None]
    for block in model.transformer.resblocks:
        tokens = run_block(block, tokens, n_rows=length, bias=bias)
    states = apply_norm(model.ln_final, tokens)
    pooled = text_global_pool(states, ids, model.text_pool_type, eos_token_id=model.text_eos_id)
    features: torch.Tensor = pooled @ model.text_projection
    return features


def get_weight(model: Any) -> torch.Tensor:
    """Get one of the network's weights, for the device and dtype of all."""
    weight: torch.Tensor = next(model.parameters())
    return weight


def split_into_batches(model: Any, array: NDArray[np.float32]) -> Iterator[torch.Tensor]:
    """Yield float32 [N, ...] in batches of a size for the network's device, there and in its dtype."""
    weight = get_weight(model)
    size = _IMAGES_PER_BATCH.get(weight.device.type, _DEFAULT_IMAGES_PER_BATCH)
    for start in range(0, len(array), size):
        yield torch.tensor(array[start : start + size], device=weight.device, dtype=weight.dtype)


def concatenate_features(model: Any, features: Sequence[torch.Tensor]) -> NDArray[np.float32]:
    """Concatenate the batches' features [n, D] to float32 [N, D]; no batches give [0, D]."""
    if not features:
        return np.zeros((0, model.visual.output_dim), np.float32)
    return np.asarray(torch.cat(list(features)).float().cpu().numpy(), np.float32)

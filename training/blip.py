"""Shared by the two tiny BLIPs: their sizes, their start from the tiny CLIP, their cross-attention."""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import BlipConfig

IMAGE_SIDE, _PATCH, _WIDTH, _HEADS = 144, 12, 192, 3
BLIP_GRID = IMAGE_SIDE // _PATCH
MEAN, STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
N_TRUNK_BLOCKS = 4  # blocks of the tiny CLIP before its first masked block
PAD_ID, CLS_ID, SEP_ID, START_ID = 0, 2, 3, 5
MAX_TOKENS = 48


def make_blip_config(n_words: int, *, text_layers: int, text_inner: int) -> BlipConfig:
    """Make the config of a BLIP whose image encoder is the first four blocks of the tiny CLIP."""
    text: dict[str, Any] = {
        "vocab_size": n_words,
        "hidden_size": _WIDTH,
        "encoder_hidden_size": _WIDTH,
        "intermediate_size": text_inner,
        "projection_dim": 32,
        "num_hidden_layers": text_layers,
        "num_attention_heads": _HEADS,
        "max_position_embeddings": MAX_TOKENS,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "bos_token_id": START_ID,
        "eos_token_id": SEP_ID,
        "sep_token_id": SEP_ID,
        "pad_token_id": PAD_ID,
    }
    vision = {
        "hidden_size": _WIDTH,
        "intermediate_size": 4 * _WIDTH,
        "projection_dim": 32,
        "num_hidden_layers": N_TRUNK_BLOCKS,
        "num_attention_heads": _HEADS,
        "image_size": IMAGE_SIDE,
        "patch_size": _PATCH,
    }
    return BlipConfig(text_config=text, vision_config=vision, projection_dim=32, image_text_hidden_size=32)


def copy_clip_weights(vision: nn.Module, words: nn.Embedding, clip: Path) -> None:
    """Copy the first image blocks and the word embeddings of the tiny CLIP in the folder `clip`."""
    saved = {name: t.float() for name, t in load_file(clip / "open_clip_model.safetensors").items()}
    state = {
        "embeddings.patch_embedding.weight": saved["visual.conv1.weight"],
        "embeddings.patch_embedding.bias": torch.zeros(_WIDTH),
        "embeddings.class_embedding": saved["visual.class_embedding"].view(1, 1, -1),
        "embeddings.position_embedding": saved["visual.positional_embedding"][None],
        "post_layernorm.weight": torch.ones(_WIDTH),
        "post_layernorm.bias": torch.zeros(_WIDTH),
    }
    same = {
        "ln_1": "layer_norm1",
        "ln_2": "layer_norm2",
        "mlp.c_fc": "mlp.fc1",
        "mlp.c_proj": "mlp.fc2",
        "attn.out_proj": "self_attn.projection",
    }
    for block in range(N_TRUNK_BLOCKS):
        source, target = f"visual.transformer.resblocks.{block}.", f"encoder.layers.{block}."
        for kind in ("weight", "bias"):
            state |= {f"{target}{b}.{kind}": saved[f"{source}{a}.{kind}"] for a, b in same.items()}
            state[f"{target}self_attn.qkv.{kind}"] = saved[f"{source}attn.in_proj_{kind}"]
    vision.load_state_dict(state)
    with torch.no_grad():
        words.weight.copy_(saved["token_embedding.weight"])


class Probe:
    """Keeps the cross-attention probabilities of one text layer, differentiable: [B, heads, L, 1 + P]."""

    def __init__(self, text_encoder: Any, layer: int) -> None:
        self.probabilities = torch.empty(0)
        text_encoder.encoder.layer[layer].crossattention.self.register_forward_hook(self._keep)

    def _keep(self, module: nn.Module, inputs: Any, outputs: tuple[Tensor, Tensor]) -> None:
        self.probabilities = outputs[1]

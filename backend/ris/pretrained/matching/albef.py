"""ALBEF's image-text matching, with timm's ViT and transformers' BERT layers, from the released checkpoint.

Source: Li et al., "Align before Fuse", NeurIPS 2021, arXiv:2107.07651, and its released code
(salesforce/ALBEF: models/vit.py, models/xbert.py, models/model_pretrain.py). Details that matter:

* Its BERT is post-norm with exact GELU and norms with epsilon 1e-12; the ViT's norms have 1e-6. From
  `fusion_layer` on, a cross-attention stands between self-attention and feed-forward.
* No layer is causal, although transformers has cross-attention in BERT for decoders only.
* Its tokenizer adds [CLS] before a text and no [SEP] after it.
* Patch positions of a checkpoint of another resolution are resized, bicubic; the class token's is kept.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from timm.models.vision_transformer import VisionTransformer
from tokenizers.processors import TemplateProcessing
from torch import nn
from transformers import BertConfig, BertModel, BertTokenizer
from transformers.models.bert.modeling_bert import BertAttention

from ris.errors import WeightsError
from ris.pretrained.device import Precision
from ris.pretrained.matching.cross_matcher import CrossMatcher, MatchingParts

_CHECKPOINT_FILE = "ALBEF.pth"
# Parts of the checkpoint for training only: momentum copies, queues, contrastive heads, temperature.
_TRAINING_ONLY_PARTS = frozenset({
    "visual_encoder_m", "text_encoder_m", "vision_proj", "vision_proj_m", "text_proj", "text_proj_m",
    "image_queue", "text_queue", "queue_ptr", "temp",
})  # fmt: skip
_WORD_HEAD_PREFIX = "text_encoder.cls."
_POSITION_IDS = "text_encoder.bert.embeddings.position_ids"  # a constant, saved by older transformers


@dataclass(frozen=True, slots=True)
class AlbefShape:
    """The sizes of a network.

    Attributes:
        image_size, patch_size: in pixels.
        width: channels of image and text encoder.
        image_layers, text_layers: numbers of layers.
        fusion_layer: first text layer with cross-attention, 0-based.
        n_heads: attention heads of every layer.
        n_words, n_positions: sizes of the text encoder's embeddings.
    """

    image_size: int = 256
    patch_size: int = 16
    width: int = 768
    image_layers: int = 12
    text_layers: int = 12
    fusion_layer: int = 6
    n_heads: int = 12
    n_words: int = 30_522
    n_positions: int = 512


RELEASED_SHAPE = AlbefShape()


class Albef(nn.Module):
    """The matching part of ALBEF; modules have the names of the released code."""

    def __init__(self, shape: AlbefShape) -> None:
        super().__init__()
        self.shape = shape
        self.visual_encoder = VisionTransformer(
            img_size=shape.image_size, patch_size=shape.patch_size, embed_dim=shape.width,
            depth=shape.image_layers, num_heads=shape.n_heads, num_classes=0, weight_init="skip",
        )  # fmt: skip
        config = BertConfig(
            vocab_size=shape.n_words, hidden_size=shape.width, intermediate_size=4 * shape.width,
            num_hidden_layers=shape.text_layers, num_attention_heads=shape.n_heads,
            max_position_embeddings=shape.n_positions, layer_norm_eps=1e-12, hidden_act="gelu",
        )  # fmt: skip
        bert: Any = BertModel(config, add_pooling_layer=False)
        for layer in bert.encoder.layer[shape.fusion_layer :]:
            layer.crossattention = BertAttention(config, is_cross_attention=True)  # type: ignore[no-untyped-call]
        self.text_encoder = nn.ModuleDict({"bert": bert})
        self.itm_head = nn.Linear(shape.width, 2)


def make_albef_parts(model: Albef) -> MatchingParts:
    """Get the parts that `CrossMatcher` calls."""
    shape: AlbefShape = model.shape
    bert: Any = model.text_encoder["bert"]
    return MatchingParts(
        network=model,
        see=model.visual_encoder.forward_features,
        embed=lambda ids: bert.embeddings(input_ids=ids),
        layers=bert.encoder.layer,
        head=model.itm_head,
        input_size=shape.image_size,
        grid_size=shape.image_size // shape.patch_size,
        n_heads=shape.n_heads,
        max_tokens=shape.n_positions,
    )


def load_albef(
    folder: Path,
    *,
    layer: int = 8,
    shape: AlbefShape = RELEASED_SHAPE,
    device: str = "cpu",
    precision: Precision = "fp32",
) -> CrossMatcher:
    """Load the ALBEF matcher in a folder: the released `ALBEF.pth` and the tokenizer of bert-base-uncased.

    Args:
        folder: the folder.
        layer: text layer whose cross-attention is read, 0-based; GroundVLP and IteRPrimE read 8.
        shape: sizes of the network.
        device: where it runs.
        precision: of `CrossMatcher`.

    Raises:
        WeightsError: a file is missing or damaged, or the checkpoint lacks weights or has unknown ones.
    """
    for name in (_CHECKPOINT_FILE, "tokenizer.json"):
        if not (folder / name).is_file():
            raise WeightsError(f"the ALBEF model lacks {folder / name}; fetch it again")
    try:
        # Half of its 3.5 GB are training-only parts: with mmap they are not read from disk.
        checkpoint = torch.load(folder / _CHECKPOINT_FILE, map_location="cpu", weights_only=True, mmap=True)
        # BertTokenizer and not AutoTokenizer: the published files do not name the tokenizer's class.
        tokenizer = BertTokenizer.from_pretrained(folder)
    except Exception as error:  # torch, pickle and tokenizers have errors of their own
        reason = " ".join(str(error).split())[:300]
        raise WeightsError(f"the ALBEF model in {folder} is damaged: {reason}; fetch it again") from error
    if not isinstance(checkpoint, dict) or not isinstance(checkpoint.get("model"), dict):
        raise WeightsError(f'{folder / _CHECKPOINT_FILE} has no "model" in it; fetch the released ALBEF.pth')
    model = build_albef(checkpoint["model"], shape).to(device)
    return CrossMatcher(make_albef_parts(model), drop_sep_token(tokenizer), layer=layer, precision=precision)


def build_albef(released: dict[str, torch.Tensor], shape: AlbefShape) -> Albef:
    """Build the network from the weights of a checkpoint with the released names.

    Raises:
        WeightsError: weights are missing, unknown or of another shape; the message names some.
    """
    model = Albef(shape)
    needed = model.state_dict()
    state = {name: tensor.float() for name, tensor in released.items() if _is_needed_weight(name)}
    _reject_names("lacks", sorted(needed.keys() - state.keys()))
    _reject_names("has unknown", sorted(state.keys() - needed.keys()))
    positions = "visual_encoder.pos_embed"
    state[positions] = resize_positions(state[positions], shape.image_size // shape.patch_size)
    _reject_names("has misshapen", sorted(name for name in needed if state[name].shape != needed[name].shape))
    model.load_state_dict(state)
    return model.eval()


def _is_needed_weight(name: str) -> bool:
    """Whether a weight of the checkpoint is needed for matching, or is unknown."""
    return (
        name.split(".")[0] not in _TRAINING_ONLY_PARTS
        and not name.startswith(_WORD_HEAD_PREFIX)
        and name != _POSITION_IDS
    )


def _reject_names(fault: str, names: list[str]) -> None:
    if names:
        raise WeightsError(
            f"the ALBEF checkpoint {fault} weights: {', '.join(names[:3])}"
            f"{f' and {len(names) - 3} more' if len(names) > 3 else ''}; fetch the released ALBEF.pth"
        )


def resize_positions(positions: torch.Tensor, grid_size: int) -> torch.Tensor:
    """Resize position embeddings float32 [1, 1 + g * g, V] to a grid of G x G patches: [1, 1 + G * G, V].

    Source: `interpolate_pos_embed` of models/vit.py; bicubic, with the class token's embedding unchanged.
    """
    side = round((positions.shape[1] - 1) ** 0.5)
    if side == grid_size:
        return positions
    own, patches = positions[:, :1], positions[:, 1:]
    grid = patches.reshape(1, side, side, -1).permute(0, 3, 1, 2)
    grid = nn.functional.interpolate(grid, (grid_size, grid_size), mode="bicubic", align_corners=False)
    return torch.cat([own, grid.permute(0, 2, 3, 1).flatten(1, 2)], 1)


def drop_sep_token(tokenizer: Any) -> Any:
    """Change a fast tokenizer to add [CLS] and no [SEP], as ALBEF's own does, and return it."""
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A", special_tokens=[("[CLS]", tokenizer.cls_token_id)]
    )
    return tokenizer

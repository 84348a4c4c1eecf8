"""Networks of transformers for tests: small, with random weights and a vocabulary of a few words."""

import json

import open_clip
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BlipConfig, BlipForImageTextRetrieval, PreTrainedTokenizerFast

WORDS = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[DEC]", "the", "a", "red", "blue", "mug", "dog", "left", "of", "on",
    "small", "near", ":", "[att]", "##s",
]  # fmt: skip


def toy_tokenizer():
    """Make a tokenizer of [CLS] words [SEP]; an unknown word is [UNK]."""
    ids = {word: i for i, word in enumerate(WORDS)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
        sep_token="[SEP]", bos_token="[DEC]",
    )  # fmt: skip


def random_blip_config():
    """Make the config of a BLIP of 24 px in patches of 6, with three text layers of width 16."""
    return BlipConfig(
        text_config={
            "vocab_size": len(WORDS), "hidden_size": 16, "encoder_hidden_size": 16, "intermediate_size": 32,
            "projection_dim": 8, "num_hidden_layers": 3, "num_attention_heads": 2,
            "max_position_embeddings": 32, "bos_token_id": 4, "eos_token_id": 3, "sep_token_id": 3,
            "pad_token_id": 0,
        },
        vision_config={
            "hidden_size": 16, "intermediate_size": 32, "projection_dim": 8, "num_hidden_layers": 2,
            "num_attention_heads": 2, "image_size": 24, "patch_size": 6,
        },
        projection_dim=8, image_text_hidden_size=8,
    )  # fmt: skip


def random_blip():
    """Build a BLIP matcher of that size; it is the same each time."""
    torch.manual_seed(5)
    model = BlipForImageTextRetrieval(random_blip_config()).eval()
    for parameter in model.parameters():  # PyTorch's initial weights are so small that errors would not show
        parameter.data.normal_(0, 0.15)
    return model


TEXT = {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1}

VISION = {
    "vit": {"image_size": 32, "layers": 2, "width": 64, "patch_size": 8},
    "resnet": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8, "patch_size": None},
}


def write_folder(folder, vision):
    """Write the config and weights of a CLIP as the Hub has them for open_clip; return the network."""
    config = {"embed_dim": 24, "quick_gelu": True, "vision_cfg": VISION[vision], "text_cfg": TEXT}
    torch.manual_seed(0)
    model = open_clip.CLIP(**config).eval()
    for parameter in model.transformer.parameters():  # large enough for a difference between activations
        parameter.data.normal_(0, 0.3)
    about = {"model_cfg": config, "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.25] * 3}}
    (folder / "open_clip_config.json").write_text(json.dumps(about))
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    return model

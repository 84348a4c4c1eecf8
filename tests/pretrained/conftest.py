"""Networks of transformers for tests: small, with random weights and a vocabulary of a few words."""

import torch
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

"""ALBEF against its formulas written out, and its checkpoint under the released names."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from ris.core.expression import ParsedExpression, Word
from ris.core.resize import make_bicubic_weights
from ris.errors import WeightsError
from ris.pretrained.matching.albef import (
    RELEASED_SHAPE,
    Albef,
    AlbefShape,
    build_albef,
    drop_sep_token,
    load_albef,
    make_albef_parts,
    resize_positions,
)
from ris.pretrained.matching.cross_matcher import CrossMatcher
from ris.referring.iterprime import ITERPRIME_PAPER, find_token_positions
from tests.builders.networks import WORDS, toy_tokenizer
from tests.builders.speeds import FixedSpeeds

SMALL = AlbefShape(
    image_size=24, patch_size=6, width=16, image_layers=2, text_layers=4, fusion_layer=2, n_heads=2,
    n_words=len(WORDS), n_positions=32,
)  # fmt: skip
TEXTS = ["the red mug", "a dog left of the mug", "dog"]


def released_shapes(shape):
    """Every name in the released checkpoint's "model", with its shape, as its modules spell them."""
    w, wide, g = shape.width, 4 * shape.width, shape.image_size // shape.patch_size
    named = {}

    def linear(name, n_out, n_in):
        named.update({f"{name}.weight": (n_out, n_in), f"{name}.bias": (n_out,)})

    def norm(name):
        named.update({f"{name}.weight": (w,), f"{name}.bias": (w,)})

    for eye in ("visual_encoder", "visual_encoder_m"):
        named |= {f"{eye}.cls_token": (1, 1, w), f"{eye}.pos_embed": (1, g * g + 1, w)}
        named[f"{eye}.patch_embed.proj.weight"] = (w, 3, shape.patch_size, shape.patch_size)
        named[f"{eye}.patch_embed.proj.bias"] = (w,)
        for i in range(shape.image_layers):
            block = f"{eye}.blocks.{i}"
            norm(f"{block}.norm1"), norm(f"{block}.norm2")
            linear(f"{block}.attn.qkv", 3 * w, w), linear(f"{block}.attn.proj", w, w)
            linear(f"{block}.mlp.fc1", wide, w), linear(f"{block}.mlp.fc2", w, wide)
        norm(f"{eye}.norm")
    for reader in ("text_encoder", "text_encoder_m"):
        embeddings, head = f"{reader}.bert.embeddings", f"{reader}.cls.predictions"
        named[f"{embeddings}.position_ids"] = (1, shape.n_positions)
        named[f"{embeddings}.word_embeddings.weight"] = (shape.n_words, w)
        named[f"{embeddings}.position_embeddings.weight"] = (shape.n_positions, w)
        named[f"{embeddings}.token_type_embeddings.weight"] = (2, w)
        norm(f"{embeddings}.LayerNorm")
        for i in range(shape.text_layers):
            layer = f"{reader}.bert.encoder.layer.{i}"
            for kind in ("attention", "crossattention")[: 1 + (i >= shape.fusion_layer)]:
                for part in ("query", "key", "value"):
                    linear(f"{layer}.{kind}.self.{part}", w, w)
                linear(f"{layer}.{kind}.output.dense", w, w)
                norm(f"{layer}.{kind}.output.LayerNorm")
            linear(f"{layer}.intermediate.dense", wide, w), linear(f"{layer}.output.dense", w, wide)
            norm(f"{layer}.output.LayerNorm")
        linear(f"{head}.transform.dense", w, w)
        norm(f"{head}.transform.LayerNorm")
        linear(f"{head}.decoder", shape.n_words, w)
        named[f"{head}.bias"] = (shape.n_words,)
    for name in ("vision_proj", "vision_proj_m", "text_proj", "text_proj_m"):
        linear(name, 256, w)
    linear("itm_head", 2, w)
    return named | {"image_queue": (256, 64), "text_queue": (256, 64), "queue_ptr": (1,), "temp": ()}


def random_weights(shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return {
        name: 0.3 * torch.randn(size, generator=generator) + (len(size) == 1 and name.endswith("weight"))
        for name, size in released_shapes(shape).items()
    }


def matching(weights):
    """What of a checkpoint the matcher needs."""
    own = ("visual_encoder.", "text_encoder.bert.", "itm_head.")
    return {name: w for name, w in weights.items() if name.startswith(own) and "position_ids" not in name}


@pytest.fixture
def folder(tmp_path):
    """The checkpoint beside a tokenizer's three files as bert-base-uncased has them on the Hub."""
    torch.save({"model": random_weights(SMALL), "epoch": 29}, tmp_path / "ALBEF.pth")
    toy_tokenizer().backend_tokenizer.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "tokenizer_config.json").write_text('{"do_lower_case": true, "model_max_length": 512}')
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    return tmp_path


def test_the_full_size_network_has_the_released_names_and_shapes():
    with torch.device("meta"):
        made = Albef(RELEASED_SHAPE).state_dict()

    assert {name: tuple(w.shape) for name, w in made.items()} == matching(released_shapes(RELEASED_SHAPE))
    assert len(made) == 409


def test_a_released_checkpoint_is_loaded_bit_for_bit_and_gives_the_same_names_back(folder):
    weights = matching(random_weights(SMALL))

    loaded = load_albef(folder, layer=2, shape=SMALL).parts.network.state_dict()
    again = build_albef(loaded, SMALL).state_dict()

    assert loaded.keys() == again.keys() == weights.keys()
    assert all(torch.equal(loaded[name], weights[name]) for name in weights)
    assert all(torch.equal(again[name], weights[name]) for name in weights)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w.pop("itm_head.bias"), r"lacks weights: itm_head\.bias; fetch"),
        (lambda w: [w.pop(n) for n in list(w) if "blocks.1" in n], r"lacks weights: .* and 9 more; fetch"),
        (lambda w: w.update({"bbox_head.0.weight": torch.ones(2)}), r"unknown weights: bbox_head\.0\.weight"),
        (lambda w: w.update({"itm_head.weight": torch.ones(3, 16)}), r"misshapen weights: itm_head\.weight"),
    ],
    ids=["missing", "many missing", "unknown", "misshapen"],
)
def test_weights_that_are_missing_unknown_or_misshapen_are_named(folder, change, message):
    weights = random_weights(SMALL)
    change(weights)
    torch.save({"model": weights}, folder / "ALBEF.pth")

    with pytest.raises(WeightsError, match=message):
        load_albef(folder, layer=2, shape=SMALL)


@pytest.mark.parametrize("name", ["ALBEF.pth", "tokenizer.json"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()

    with pytest.raises(WeightsError, match=f"lacks .*{name}; fetch"):
        load_albef(folder, layer=2, shape=SMALL)


def test_a_truncated_checkpoint_is_damaged(folder):
    path = folder / "ALBEF.pth"
    path.write_bytes(path.read_bytes()[:5000])

    with pytest.raises(WeightsError, match="is damaged"):
        load_albef(folder, layer=2, shape=SMALL)


def test_a_checkpoint_that_runs_code_is_not_read(folder):
    torch.save({"model": SimpleNamespace(harm="done")}, folder / "ALBEF.pth")

    with pytest.raises(WeightsError, match="is damaged"):
        load_albef(folder, layer=2, shape=SMALL)


def test_a_checkpoint_of_something_else_is_refused(folder):
    torch.save([1, 2], folder / "ALBEF.pth")

    with pytest.raises(WeightsError, match='has no "model" in it'):
        load_albef(folder, layer=2, shape=SMALL)


def test_a_layer_that_reads_words_alone_is_refused(folder):
    with pytest.raises(
        WeightsError, match="text layer 1 .* no cross-attention; set itm_layer to one of 2 to 3"
    ):
        load_albef(folder, layer=1, shape=SMALL)


def test_positions_of_another_resolution_are_resized_between_the_patches_alone():
    positions = torch.randn(1, 1 + 4, 3)

    got = resize_positions(positions, 4)

    rows = torch.tensor(make_bicubic_weights(2, 4))
    wanted = torch.einsum("yi,xj,ijc->yxc", rows, rows, positions[0, 1:].unflatten(0, (2, 2)))
    torch.testing.assert_close(got[:, :1], positions[:, :1])
    torch.testing.assert_close(got[0, 1:], wanted.flatten(0, 1), atol=1e-5, rtol=0)
    assert resize_positions(positions, 2) is positions


def test_a_text_begins_with_the_class_token_and_ends_without_a_separator(folder):
    matcher = load_albef(folder, layer=2, shape=SMALL)

    assert matcher.find_token_spans(["The red mug"]) == [[(0, 0), (0, 3), (4, 7), (8, 11)]]
    ids = matcher.tokenizer(["The red mug", "dog"], padding=True)["input_ids"]
    assert ids == [
        [WORDS.index(w) for w in row]
        for row in (["[CLS]", "the", "red", "mug"], ["[CLS]", "dog", "[PAD]", "[PAD]"])
    ]
    assert len(matcher.find_token_spans(["mug " * 100])[0]) == SMALL.n_positions


def test_an_expression_in_the_papers_template_begins_at_position_four(folder):
    matcher = load_albef(folder, layer=2, shape=SMALL)
    words = Word("red", "ADJ", 0), Word("mug", "NOUN", 4)
    expression = ParsedExpression("red mug", "red mug", words=words, primary=1)
    (spans,) = matcher.find_token_spans([ITERPRIME_PAPER.template.format("red mug")])

    pieces = find_token_positions(expression, spans, offset=ITERPRIME_PAPER.template.index("{}"))

    assert (pieces.focus, pieces.primary, pieces.n_tokens) == ((4, 5), (5,), 6)


# What ALBEF computes, written out: one text, explicit matrices, float64.


def oracle_norm(x, weights, name, eps):
    mean, variance = x.mean(-1, keepdim=True), x.var(-1, unbiased=False, keepdim=True)
    return (x - mean) / torch.sqrt(variance + eps) * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def oracle_linear(x, weights, name):
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def oracle_gelu(x):
    return x * 0.5 * (1 + torch.erf(x / math.sqrt(2)))


def oracle_mixed(q, k, v, n_heads, bias=0.0):
    """Attention of [L, W] to [M, W]: what is mixed [L, W], and the probabilities [heads, L, M]."""
    size = q.shape[1] // n_heads
    q, k, v = (x.unflatten(1, (n_heads, size)).transpose(0, 1) for x in (q, k, v))
    probabilities = torch.softmax(q @ k.transpose(1, 2) / math.sqrt(size) + bias, -1)
    probabilities.requires_grad_() if not probabilities.requires_grad else probabilities.retain_grad()
    return (probabilities @ v).transpose(0, 1).flatten(1), probabilities


def oracle_eye(weights, shape, pixels):
    size, side = shape.patch_size, shape.image_size // shape.patch_size
    patches = torch.stack([
        pixels[:, size * y : size * (y + 1), size * x : size * (x + 1)].flatten()
        for y in range(side) for x in range(side)
    ])  # fmt: skip
    filters = weights["visual_encoder.patch_embed.proj.weight"].flatten(1)
    patches = patches @ filters.T + weights["visual_encoder.patch_embed.proj.bias"]
    tokens = torch.cat([weights["visual_encoder.cls_token"][0], patches])
    tokens = tokens + weights["visual_encoder.pos_embed"][0]
    for i in range(shape.image_layers):
        block = f"visual_encoder.blocks.{i}"
        qkv = oracle_linear(
            oracle_norm(tokens, weights, f"{block}.norm1", 1e-6), weights, f"{block}.attn.qkv"
        )
        mixed, _ = oracle_mixed(*qkv.chunk(3, 1), shape.n_heads)
        tokens = tokens + oracle_linear(mixed, weights, f"{block}.attn.proj")
        inner = oracle_linear(
            oracle_norm(tokens, weights, f"{block}.norm2", 1e-6), weights, f"{block}.mlp.fc1"
        )
        tokens = tokens + oracle_linear(oracle_gelu(inner), weights, f"{block}.mlp.fc2")
    return oracle_norm(tokens, weights, "visual_encoder.norm", 1e-6)


def oracle_match(weights, shape, pixels, ids, kept, layer):
    """A and G of one layer's cross-attention without the image's class token, and the match probability."""
    weights = {name: w.double() for name, w in weights.items()}
    image = oracle_eye(weights, shape, torch.tensor(pixels).double())
    bias = (1 - torch.tensor([1.0, *kept]).double()) * -1e9
    names = "text_encoder.bert.embeddings"
    states = weights[f"{names}.word_embeddings.weight"][ids]
    states = states + weights[f"{names}.position_embeddings.weight"][: len(ids)]
    states = states + weights[f"{names}.token_type_embeddings.weight"][0]
    states = oracle_norm(states, weights, f"{names}.LayerNorm", 1e-12)
    seen = {}
    for i in range(shape.text_layers):
        own = f"text_encoder.bert.encoder.layer.{i}"
        for kind in ("attention", "crossattention")[: 1 + (i >= shape.fusion_layer)]:
            source = states if kind == "attention" else image
            mixed, probabilities = oracle_mixed(
                oracle_linear(states, weights, f"{own}.{kind}.self.query"),
                oracle_linear(source, weights, f"{own}.{kind}.self.key"),
                oracle_linear(source, weights, f"{own}.{kind}.self.value"),
                shape.n_heads,
                bias if kind == "crossattention" else 0.0,
            )
            seen[i] = probabilities
            mixed = oracle_linear(mixed, weights, f"{own}.{kind}.output.dense")
            states = oracle_norm(mixed + states, weights, f"{own}.{kind}.output.LayerNorm", 1e-12)
        inner = oracle_gelu(oracle_linear(states, weights, f"{own}.intermediate.dense"))
        inner = oracle_linear(inner, weights, f"{own}.output.dense")
        states = oracle_norm(inner + states, weights, f"{own}.output.LayerNorm", 1e-12)
    logits = oracle_linear(states[0], weights, "itm_head")
    logits[1].backward()
    return seen[layer].detach()[..., 1:], seen[layer].grad[..., 1:], logits.softmax(0)[1].item()


@pytest.mark.parametrize(
    ("shape", "layer"),
    [(SMALL, 2), (AlbefShape(24, 6, 16, 2, 12, 6, 2, len(WORDS), 32), 8)],
    ids=["the first that looks", "layer 8 of 12"],
)
@pytest.mark.parametrize("is_packed", [False, True])
def test_attention_gradient_and_match_are_those_of_the_formulas_under_a_mask_of_the_image(
    shape, layer, is_packed
):
    weights = matching(random_weights(shape))
    matcher = CrossMatcher(
        make_albef_parts(build_albef(weights, shape)), drop_sep_token(toy_tokenizer()), layer=layer
    )
    if is_packed:
        matcher.pack(FixedSpeeds(0))
    pixels = np.random.default_rng(4).normal(size=(3, 24, 24)).astype(np.float32)
    kept = np.random.default_rng(5).random((len(TEXTS), 16)) > 0.4
    kept[2] = True

    got = matcher.attend(matcher.encode_picture(pixels), TEXTS, kept)

    for i, text in enumerate(TEXTS):
        ids = [WORDS.index(word) for word in ("[CLS]", *text.split())]
        attention, gradient, match = oracle_match(weights, shape, pixels, ids, kept[i], layer)
        np.testing.assert_allclose(got.attention[i, :, : len(ids)], attention, atol=2e-5)
        np.testing.assert_allclose(got.gradient[i, :, : len(ids)], gradient, atol=2e-5 * gradient.abs().max())
        np.testing.assert_allclose(got.match[i], match, atol=2e-5)
        assert (got.attention[i, :, len(ids) :] == 0).all()
        assert gradient.abs().max() > 1e-3

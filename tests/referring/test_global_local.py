"""Global-Local CLIP against a second implementation, slow and obvious, under random weights.

`oracle_*` are written from the formulas of the paper: explicit matrices, one mask at a time.
"""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from open_clip.model import CLIP

from ris.core.expression import ParsedExpression
from ris.core.types import Image
from ris.pretrained.clip.vit import ClipEncoder
from ris.referring.crops import crop_masked, make_patch_grid, normalise_image, squash_picture
from ris.referring.global_local import (
    GLOBAL_LOCAL_PAPER,
    GLOBAL_LOCAL_PAPER_RN50,
    GlobalLocal,
    compute_cosine,
    mix_features,
)
from tests.builders.fakes import ColourEncoder, squares
from tests.builders.masks import make_proposals, rectangle, see_all


def words_to_ids(texts):
    """A tokenizer of three words; the last id is the end token, the largest, as CLIP's pooling wants."""
    rows = [[*(sum(map(ord, w)) % 50 + 1 for w in text.split()[:6]), 63] for text in texts]
    return torch.tensor([row + [0] * (8 - len(row)) for row in rows])


@pytest.fixture(scope="module", params=[(32, 8), (48, 8)], ids=["4x4 patches", "6x6 patches"])
def encoder(request):
    """A random CLIP with the first layer norm that published ones have; weights large enough to matter."""
    side, patch = request.param
    torch.manual_seed(0)
    vision = {"image_size": side, "patch_size": patch, "width": 64, "layers": 4, "head_width": 32}
    text = {"context_length": 8, "vocab_size": 64, "width": 64, "heads": 2, "layers": 2}
    model = CLIP(32, vision, text)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1:
                parameter.normal_(0, 0.15)
            elif name.endswith("bias"):
                parameter.normal_(0, 0.1)
    return ClipEncoder(model, words_to_ids)


def random_grids(n, side, seed=1):
    rng = np.random.default_rng(seed)
    grids = rng.random((n, side, side)) * (rng.random((n, side, side)) > 0.5)
    grids[0] = 1
    grids[1] = 0
    return grids.astype(np.float32)


def random_picture(encoder, seed=2):
    side = encoder.input_size
    return np.random.default_rng(seed).normal(size=(3, side, side)).astype(np.float32)


def oracle_layer_norm(x, norm):
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + norm.eps) * array(norm.weight) + array(norm.bias)


def array(parameter):
    return parameter.detach().numpy().astype(np.float64)


def oracle_block(tokens, block):
    """One block on [L, W], attention written out a head and a query at a time."""
    normal = oracle_layer_norm(tokens, block.ln_1)
    q, k, v = np.split(
        normal @ array(block.attn.in_proj_weight).T + array(block.attn.in_proj_bias), 3, axis=1
    )
    n_heads, width = block.attn.num_heads, tokens.shape[1] // block.attn.num_heads
    mixed = np.zeros_like(tokens)
    for head in range(n_heads):
        part = slice(head * width, (head + 1) * width)
        for i in range(len(tokens)):
            weights = np.exp([q[i, part] @ k[j, part] / math.sqrt(width) for j in range(len(tokens))])
            mixed[i, part] = weights / weights.sum() @ v[:, part]
    tokens = tokens + mixed @ array(block.attn.out_proj.weight).T + array(block.attn.out_proj.bias)
    hidden = oracle_layer_norm(tokens, block.ln_2) @ array(block.mlp.c_fc.weight).T + array(
        block.mlp.c_fc.bias
    )
    gelu = hidden * 0.5 * (1 + np.vectorize(math.erf)(hidden / math.sqrt(2)))
    return tokens + gelu @ array(block.mlp.c_proj.weight).T + array(block.mlp.c_proj.bias)


def oracle_feature(visual, picture, grid, first_masked_block):
    """conv1, class token, positions, ln_pre; blocks; before each masked one every patch times its number."""
    size = visual.conv1.weight.shape[-1]
    filters = array(visual.conv1.weight).reshape(visual.conv1.weight.shape[0], -1)
    n = picture.shape[1] // size
    patches = [
        filters @ picture[:, i * size : (i + 1) * size, j * size : (j + 1) * size].astype(np.float64).ravel()
        for i in range(n)
        for j in range(n)
    ]
    tokens = np.stack([array(visual.class_embedding), *patches]) + array(visual.positional_embedding)
    tokens = oracle_layer_norm(tokens, visual.ln_pre)
    for number, block in enumerate(visual.transformer.resblocks):
        if number >= first_masked_block:
            for patch, factor in enumerate(grid.ravel()):
                tokens[1 + patch] = tokens[1 + patch] * factor
        tokens = oracle_block(tokens, block)
    return oracle_layer_norm(tokens[0], visual.ln_post) @ array(visual.proj)


@pytest.mark.parametrize("first_masked_block", [1, 2, 3])
def test_token_masking_agrees_with_the_formula(encoder, first_masked_block):
    picture, grids = random_picture(encoder), random_grids(4, encoder.grid_size)

    got = encoder.encode_masked(picture, grids, first_masked_block=first_masked_block)

    visual = encoder.model.visual
    wanted = [oracle_feature(visual, picture, grid, first_masked_block) for grid in grids]
    np.testing.assert_allclose(got, wanted, atol=1e-5)


def test_masks_of_ones_give_the_plain_feature(encoder):
    picture = random_picture(encoder)
    ones = np.ones((2, encoder.grid_size, encoder.grid_size), np.float32)

    got = encoder.encode_masked(picture, ones, first_masked_block=2)

    np.testing.assert_allclose(got, np.repeat(encoder.encode_images(picture[None]), 2, 0), atol=1e-5)


def test_masking_after_the_last_block_changes_nothing(encoder):
    picture, grids = random_picture(encoder), random_grids(3, encoder.grid_size)

    got = encoder.encode_masked(picture, grids, first_masked_block=encoder.n_blocks)

    np.testing.assert_allclose(got, np.repeat(encoder.encode_images(picture[None]), 3, 0), atol=1e-5)


def test_zeroed_patches_still_take_part_in_attention(encoder):
    """Removing them instead, as if the softmax did not see them, gives another feature."""
    picture, grids = random_picture(encoder), random_grids(3, encoder.grid_size)[2:]
    visual = encoder.model.visual

    got = encoder.encode_masked(picture, grids, first_masked_block=3)[0]

    with torch.inference_mode():
        tokens = visual._embeds(torch.tensor(picture)[None])
        for block in visual.transformer.resblocks[:3]:
            tokens = block(tokens)
        factors = torch.tensor(np.concatenate([[1], grids[0].ravel()]), dtype=torch.float32)
        removed = (tokens * factors[None, :, None])[:, factors > 0]
        without = visual.ln_post(visual.transformer.resblocks[3](removed)[:, 0]) @ visual.proj
    assert np.abs(got - without.numpy()[0]).max() > 1e-3


def test_masks_one_by_one_give_what_they_give_together_in_any_order(encoder):
    picture, grids = random_picture(encoder), random_grids(5, encoder.grid_size)

    together = encoder.encode_masked(picture, grids, first_masked_block=2)

    one_by_one = [encoder.encode_masked(picture, g[None], first_masked_block=2)[0] for g in grids]
    turned = encoder.encode_masked(picture, grids[::-1].copy(), first_masked_block=2)
    np.testing.assert_allclose(together, one_by_one, atol=1e-5)
    np.testing.assert_allclose(together, turned[::-1], atol=1e-5)


def test_the_blocks_before_the_first_masked_one_run_once_for_all_masks(encoder):
    calls = []
    blocks = encoder.model.visual.transformer.resblocks
    hooks = [
        block.ls_2.register_forward_hook(lambda _, inputs, __, i=i: calls.append((i, len(inputs[0]))))
        for i, block in enumerate(blocks)
    ]
    encoder.encode_masked(random_picture(encoder), random_grids(5, encoder.grid_size), first_masked_block=2)
    for hook in hooks:
        hook.remove()

    assert calls == [(0, 1), (1, 1), (2, 5), (3, 5)]


SETTINGS = replace(
    GLOBAL_LOCAL_PAPER,
    framing=replace(GLOBAL_LOCAL_PAPER.framing, working_side=60),
    first_masked_block=2,
    view_weight=0.85,
    text_weight=0.5,
)
MASKS = [
    rectangle((37, 53), 4, 6, 20, 30),
    rectangle((37, 53), 30, 2, 50, 9),
    rectangle((37, 53), 0, 0, 53, 37),
]


def image(seed=3):
    return Image.from_pixels(np.random.default_rng(seed).integers(0, 256, (37, 53, 3), dtype=np.uint8))


def test_the_score_agrees_with_the_formula_from_pixels_to_numbers(encoder):
    """100 x cos(v G + (1 - v) L, r T_s + (1 - r) T_n), everything raw until the cosine."""
    method, expression = GlobalLocal(encoder, SETTINGS), ParsedExpression("the left red mug", "mug")

    (got,) = method.score(see_all(image(), make_proposals(*MASKS), method), [expression])

    framing, side = SETTINGS.framing, encoder.input_size
    x = normalise_image(image().pixels, framing)
    back = torch.nn.functional.interpolate(
        torch.tensor(x)[None], (37, 53), mode="bilinear", align_corners=False
    )[0].numpy()
    sentence, subject = encoder.encode_texts(["the left red mug", "mug"])
    text = 0.5 * sentence + 0.5 * subject
    wanted = []
    for mask in MASKS:
        grid = make_patch_grid(mask, encoder.grid_size, framing)
        guided = oracle_feature(encoder.model.visual, squash_picture(x, side, framing), grid, 2)
        alone = encoder.encode_images(crop_masked(back, mask, side, framing)[None])[0]
        visual = 0.85 * guided + 0.15 * alone
        wanted.append(100 * visual @ text / np.linalg.norm(visual) / np.linalg.norm(text))
    np.testing.assert_allclose(got.scores, wanted, atol=2e-4)


def test_unit_mixing_keeps_the_masked_view_raw_and_the_score_a_product(encoder):
    """The authors' ResNet path: 100 x (v G + (1 - v) L) . (r T_s + (1 - r) T_n), G raw, all others unit."""
    settings = replace(SETTINGS, mixing="unit")
    method, expression = GlobalLocal(encoder, settings), ParsedExpression("the left red mug", "mug")

    (got,) = method.score(see_all(image(), make_proposals(*MASKS), method), [expression])

    picture = normalise_image(image().pixels, settings.framing)
    guided, alone = (
        f(picture, np.array(MASKS)) for f in (method.compute_global_features, method.compute_local_features)
    )
    sentence, subject = (t / np.linalg.norm(t) for t in encoder.encode_texts(["the left red mug", "mug"]))
    wanted = [
        100 * (0.85 * g + 0.15 * a / np.linalg.norm(a)) @ (0.5 * sentence + 0.5 * subject)
        for g, a in zip(guided, alone, strict=True)
    ]
    np.testing.assert_allclose(got.scores, wanted, rtol=1e-5, atol=1e-3)
    assert got.scores.dtype == np.float32


@pytest.mark.parametrize(("mixing", "factor"), [("raw", 1), ("unit", 3)])
def test_the_length_of_all_features_matters_with_unit_mixing_alone(mixing, factor):
    class Longer(ColourEncoder):
        def encode_images(self, pictures):
            return 3 * super().encode_images(pictures)

        def encode_masked(self, picture, grids, *, first_masked_block):
            return 3 * super().encode_masked(picture, grids, first_masked_block=first_masked_block)

    framing = replace(SETTINGS.framing, working_side=None)
    settings = replace(SETTINGS, framing=framing, mixing=mixing, view_weight=1.0)
    proposals = make_proposals(rectangle((32, 32), 2, 2, 10, 10), rectangle((32, 32), 18, 2, 26, 10))
    expression = ParsedExpression("the red one", "the red one")

    plain, longer = (
        method.score(see_all(Image.from_pixels(squares()), proposals, method), [expression])[0].scores
        for method in (GlobalLocal(ColourEncoder(), settings), GlobalLocal(Longer(), settings))
    )

    np.testing.assert_allclose(longer, factor * plain, rtol=1e-5)


@pytest.mark.parametrize(("weight", "index"), [(1.0, 0), (0.0, 1)])
def test_a_mix_of_one_is_the_first_and_of_nought_the_second(weight, index):
    arrays = np.ones((2, 3), np.float32), np.full((2, 3), 5, np.float32)

    assert (mix_features(*arrays, weight=weight) == arrays[index]).all()


def test_a_mix_takes_raw_lengths_as_they_are():
    short, long = np.array([[1, 0]], np.float32), np.array([[0, 9]], np.float32)

    assert mix_features(short, long, weight=0.5).tolist() == [[0.5, 4.5]]


def test_a_mix_refuses_other_shapes_and_weights():
    one = np.ones((1, 2), np.float32)

    with pytest.raises(ValueError, match=r"one shape and a weight in \[0, 1\]"):
        mix_features(one, np.ones((2, 2), np.float32), weight=0.5)
    with pytest.raises(ValueError, match=r"got \(1, 2\), \(1, 2\) and 1.5"):
        mix_features(one, one, weight=1.5)


def test_the_cosine_does_not_depend_on_lengths():
    features = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    text = np.random.default_rng(1).normal(size=6).astype(np.float32)

    np.testing.assert_allclose(
        compute_cosine(7 * features, 3 * text), compute_cosine(features, text), atol=1e-6
    )


def test_a_feature_of_length_nought_scores_nought():
    assert compute_cosine(np.zeros((1, 3), np.float32), np.ones(3, np.float32)).tolist() == [0.0]


def test_no_proposals_give_no_scores(encoder):
    method = GlobalLocal(encoder, SETTINGS)
    nothing = make_proposals(*MASKS)
    nothing = type(nothing).from_masks([], nothing.masks.size, nothing.quality[:0])

    scene = see_all(image(), nothing, method)

    assert len(scene.features["global-local"]["visual"]) == 0
    assert len(method.score(scene, [ParsedExpression("the mug", "the mug")])[0].scores) == 0


def test_an_images_features_are_made_once_for_all_its_expressions():
    fake = ColourEncoder()
    method = GlobalLocal(fake, replace(SETTINGS, framing=replace(SETTINGS.framing, working_side=None)))
    proposals = make_proposals(
        *(rectangle((32, 32), x, y, x + 8, y + 8) for x, y in ((2, 2), (18, 2), (2, 18)))
    )

    scene = see_all(Image.from_pixels(squares()), proposals, method)
    for words in ("the red one", "the green one", "the blue one", "red", "green"):
        method.score(scene, [ParsedExpression(words, words)])

    assert fake.calls == {"pictures": 1, "images": 3, "texts": 10}


def test_the_papers_numbers_are_the_papers():
    assert (
        GLOBAL_LOCAL_PAPER.view_weight,
        GLOBAL_LOCAL_PAPER.text_weight,
        GLOBAL_LOCAL_PAPER.first_masked_block,
    ) == (0.95, 0.5, 9)
    assert GLOBAL_LOCAL_PAPER.framing.background == GLOBAL_LOCAL_PAPER.framing.mean == (0.485, 0.456, 0.406)
    assert GLOBAL_LOCAL_PAPER.framing.working_side == 800
    assert (
        GLOBAL_LOCAL_PAPER_RN50.mixing,
        GLOBAL_LOCAL_PAPER_RN50.first_masked_block,
        GLOBAL_LOCAL_PAPER.mixing,
    ) == ("unit", 0, "raw")

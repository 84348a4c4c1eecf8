"""The matcher of the ALBEF family on a small BLIP: what holds whatever the network is."""

import random

import numpy as np
import pytest

from ris.errors import WeightsError
from ris.pretrained.catalog.presets import TINY
from ris.pretrained.matching.blip import load_blip, make_blip_parts
from ris.pretrained.matching.cross_matcher import CrossMatcher
from ris.referring.crops import squash_image
from ris.tinyworld.expressions import make_expressions
from ris.tinyworld.scene import make_scene
from tests.builders.networks import random_blip, toy_tokenizer
from tests.builders.speeds import FixedSpeeds

TEXTS = ["the red mug", "a dog left of the mug", "dog"]


@pytest.fixture(scope="module")
def matcher():
    return CrossMatcher(make_blip_parts(random_blip()), toy_tokenizer(), layer=1)


def picture(seed=0):
    return np.random.default_rng(seed).normal(size=(3, 24, 24)).astype(np.float32)


def test_a_dropped_patch_gets_exactly_no_attention(matcher):
    kept = np.random.default_rng(1).random((len(TEXTS), matcher.grid_size**2)) > 0.5

    got = matcher.attend(matcher.encode_picture(picture()), TEXTS, kept)

    for i in range(len(TEXTS)):
        assert (got.attention[i][..., ~kept[i]] == 0).all()
        assert (got.attention[i, :, 0][:, kept[i]] > 0).all()


def test_with_all_patches_dropped_the_class_token_is_left(matcher):
    nothing = np.zeros((1, matcher.grid_size**2), np.bool_)

    got = matcher.attend(matcher.encode_picture(picture()), ["dog"], nothing)

    assert (got.attention == 0).all()
    assert np.isfinite(got.match).all()


def test_texts_together_are_read_as_alone(matcher):
    encoded = matcher.encode_picture(picture())
    everything = np.ones((3, matcher.grid_size**2), np.bool_)

    together = matcher.attend(encoded, TEXTS, everything)

    for i, text in enumerate(TEXTS):
        alone = matcher.attend(encoded, [text], everything[:1])
        np.testing.assert_allclose(
            together.attention[i, :, : alone.attention.shape[2]], alone.attention[0], atol=1e-6
        )
        np.testing.assert_allclose(together.match[i], alone.match[0], atol=1e-6)


def test_nothing_is_kept_between_calls(matcher):
    encoded = matcher.encode_picture(picture())
    everything = np.ones((1, matcher.grid_size**2), np.bool_)
    first = matcher.attend(encoded, ["dog"], everything)
    matcher.attend(encoded, ["the red mug"], ~everything)

    np.testing.assert_array_equal(matcher.attend(encoded, ["dog"], everything).attention, first.attention)


def test_pieces_tell_the_characters_they_stand_for(matcher):
    (spans,) = matcher.find_token_spans(["the red mug"])

    assert spans == [(0, 0), (0, 3), (4, 7), (8, 11), (0, 0)]


def test_two_thousand_words_are_cut(matcher):
    text = "red mug " * 1000
    everything = np.ones((1, matcher.grid_size**2), np.bool_)

    (spans,) = matcher.find_token_spans([text])
    got = matcher.attend(matcher.encode_picture(picture()), [text], everything)

    assert len(spans) == got.attention.shape[2] == matcher.parts.max_tokens == 32


def test_a_layer_that_is_not_there_is_refused():
    with pytest.raises(WeightsError, match="has 3 text layers, got itm_layer = 3; set it to one of"):
        CrossMatcher(make_blip_parts(random_blip()), toy_tokenizer(), layer=3)


def cosine(one, other):
    one, other = one.ravel(), other.ravel()
    return one @ other / np.linalg.norm(one) / np.linalg.norm(other)


def test_in_bf16_maps_point_the_same_way_and_leave_as_float32(matcher):
    quick = CrossMatcher(make_blip_parts(random_blip()), toy_tokenizer(), layer=1, precision="bf16")
    kept = np.random.default_rng(1).random((len(TEXTS), matcher.grid_size**2)) > 0.3

    exact, got = (m.attend(m.encode_picture(picture()), TEXTS, kept) for m in (matcher, quick))

    assert got.attention.dtype == got.gradient.dtype == got.match.dtype == np.float32
    assert (got.attention[..., ~kept.any(0)] == 0).all()
    assert cosine(got.attention * got.gradient, exact.attention * exact.gradient) > 0.999
    np.testing.assert_allclose(got.match, exact.match, atol=0.01)


def test_in_bf16_each_map_of_the_embedded_network_keeps_its_direction():
    rng = random.Random(3)
    drawn = make_scene(rng, split="train")
    texts = [e.text for e in make_expressions(drawn, rng)[:6]]
    exact, quick = (load_blip(TINY.itm.folder, layer=TINY.itm_layer, precision=p) for p in ("fp32", "bf16"))
    matching = TINY.iterprime
    pixels = squash_image(np.asarray(drawn.image), exact.input_size, mean=matching.mean, std=matching.std)
    every = np.ones((len(texts), exact.grid_size**2), np.bool_)

    one, other = (m.attend(m.encode_picture(pixels), texts, every) for m in (exact, quick))

    for i in range(len(texts)):
        maps = [(s.attention[i] * np.maximum(s.gradient[i], 0)).mean((0, 1)) for s in (one, other)]
        assert cosine(*maps) > 0.999


@pytest.mark.parametrize("layer", [0, 1, 2])
@pytest.mark.parametrize("packed_from", [0, 8, 32, None])
def test_maps_and_gradients_are_the_same_by_every_way_of_the_products(layer, packed_from):
    matcher = CrossMatcher(make_blip_parts(random_blip()), toy_tokenizer(), layer=layer)
    kept = np.random.default_rng(1).random((len(TEXTS), matcher.grid_size**2)) > 0.3

    def compute_maps():
        encoded = matcher.encode_picture(picture())
        maps = matcher.attend(encoded, TEXTS, kept)
        return encoded, maps.attention, maps.gradient, maps.match

    before = compute_maps()
    matcher.pack(FixedSpeeds(packed_from))

    for one, other in zip(compute_maps(), before, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5 * max(1, np.abs(other).max()))

"""BLIP's matching network: our split forward against transformers' own, with autograd."""

import numpy as np
import pytest
import torch
from transformers import BlipForImageTextRetrieval

from backend.errors import WeightsError
from backend.pretrained.itm import BlipMatcher
from tests.pretrained.conftest import random_blip_config, toy_tokenizer

TEXTS = ["the red mug", "a dog left of the mug", "dog"]


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(5)
    made = BlipForImageTextRetrieval(random_blip_config()).eval()
    for parameter in made.parameters():  # the default start is so small that nothing would show
        parameter.data.normal_(0, 0.15)
    return made


@pytest.fixture(scope="module")
def matcher(model):
    return BlipMatcher(model, toy_tokenizer(), layer=1)


def picture(seed=0):
    return np.random.default_rng(seed).normal(size=(3, 24, 24)).astype(np.float32)


def hand_on_mask(module, given, named):
    """What transformers' BlipTextAttention forgets: its cross-attention gets no mask of the image."""
    return given, named | {"encoder_attention_mask": named["attention_mask"]}


def reference(model, texts, layer, seen=None):
    """Attention, gradient and match by transformers' own forward, one text at a time, and autograd."""
    kept = []
    layers = [each.crossattention.self for each in model.text_encoder.encoder.layer]
    hooks = [layers[layer].register_forward_hook(lambda module, given, made: kept.append(made[1]))]
    hooks += [each.register_forward_pre_hook(hand_on_mask, with_kwargs=True) for each in layers]
    model.requires_grad_(True)
    states = model.vision_model(pixel_values=torch.tensor(picture())[None]).last_hidden_state
    mask = torch.ones(1, states.shape[1]) if seen is None else torch.tensor([[1, *seen]]).float()
    rows = []
    for text in texts:
        coded = toy_tokenizer()(text, return_tensors="pt")
        hidden = model.text_encoder(
            input_ids=coded["input_ids"], attention_mask=coded["attention_mask"],
            encoder_hidden_states=states, encoder_attention_mask=mask, is_decoder=False,
        ).last_hidden_state  # fmt: skip
        logits = model.itm_head(hidden[:, 0])
        (gradient,) = torch.autograd.grad(logits[0, 1], kept[-1], retain_graph=True)
        rows.append((kept[-1][0, ..., 1:], gradient[0, ..., 1:], logits.softmax(-1)[0, 1]))
    for hook in hooks:
        hook.remove()
    model.requires_grad_(False)
    return [tuple(part.detach().numpy() for part in row) for row in rows]


def test_attention_and_gradient_agree_with_transformers_own_forward(model, matcher):
    everything = np.ones((len(TEXTS), matcher.grid_size**2), np.bool_)

    got = matcher.attend(matcher.encode_picture(picture()), TEXTS, everything)

    for i, (attention, gradient, match) in enumerate(reference(model, TEXTS, layer=1)):
        length = attention.shape[1]
        np.testing.assert_allclose(got.attention[i, :, :length], attention, atol=1e-6)
        np.testing.assert_allclose(got.gradient[i, :, :length], gradient, atol=1e-6)
        np.testing.assert_allclose(got.match[i], match, atol=1e-6)
        assert (got.attention[i, :, length:] == 0).all()
    assert np.abs(got.gradient).max() > 1e-4


def test_with_patches_dropped_it_agrees_with_transformers_own_layers_under_the_mask(model, matcher):
    kept = np.random.default_rng(3).random(matcher.grid_size**2) > 0.4

    got = matcher.attend(matcher.encode_picture(picture()), TEXTS[:1], kept[None])

    ((attention, gradient, match),) = reference(model, TEXTS[:1], layer=1, seen=kept.tolist())
    np.testing.assert_allclose(got.attention[0], attention, atol=1e-6)
    np.testing.assert_allclose(got.gradient[0], gradient, atol=1e-6)
    np.testing.assert_allclose(got.match[0], match, atol=1e-6)


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
    (spans,) = matcher.pieces(["the red mug"])

    assert spans == [(0, 0), (0, 3), (4, 7), (8, 11), (0, 0)]


def test_two_thousand_words_are_cut(matcher):
    text = "red mug " * 1000
    everything = np.ones((1, matcher.grid_size**2), np.bool_)

    (spans,) = matcher.pieces([text])
    got = matcher.attend(matcher.encode_picture(picture()), [text], everything)

    assert len(spans) == got.attention.shape[2] == matcher.max_tokens


def test_a_layer_that_is_not_there_is_refused(model):
    with pytest.raises(WeightsError, match="has 3 text layers, there is none of 3"):
        BlipMatcher(model, toy_tokenizer(), layer=3)


def test_a_saved_network_answers_alike(tmp_path, model, matcher):
    model.save_pretrained(tmp_path)
    toy_tokenizer().save_pretrained(tmp_path)
    everything = np.ones((3, matcher.grid_size**2), np.bool_)

    loaded = BlipMatcher.load(tmp_path, layer=1)

    got, wanted = (
        m.attend(m.encode_picture(picture()), TEXTS, everything).attention for m in (loaded, matcher)
    )
    np.testing.assert_allclose(got, wanted, atol=1e-7)

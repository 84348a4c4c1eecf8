"""BLIP's matching network: the split forward against transformers' own, with autograd."""

import numpy as np
import pytest
import torch

from ris.errors import WeightsError
from ris.pretrained.matching.blip import load_blip, make_blip_parts
from ris.pretrained.matching.cross_matcher import CrossMatcher
from tests.builders.networks import random_blip, toy_tokenizer

TEXTS = ["the red mug", "a dog left of the mug", "dog"]


@pytest.fixture(scope="module")
def model():
    return random_blip()


@pytest.fixture(scope="module")
def matcher(model):
    return CrossMatcher(make_blip_parts(model), toy_tokenizer(), layer=1)


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


def test_a_saved_network_answers_alike(tmp_path, model, matcher):
    model.save_pretrained(tmp_path)
    toy_tokenizer().save_pretrained(tmp_path)
    everything = np.ones((3, matcher.grid_size**2), np.bool_)

    loaded = load_blip(tmp_path, layer=1)

    got, wanted = (
        m.attend(m.encode_picture(picture()), TEXTS, everything).attention for m in (loaded, matcher)
    )
    np.testing.assert_allclose(got, wanted, atol=1e-7)


def test_a_folder_without_a_tokenizer_is_refused(tmp_path, model):
    model.save_pretrained(tmp_path)

    with pytest.raises(WeightsError, match=r"lacks .*tokenizer\.json"):
        load_blip(tmp_path, layer=1)

"""The two BLIPs of the tiny family: their start, and what their trainings read."""

import argparse
import random

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, BlipForConditionalGeneration, BlipForImageTextRetrieval

from ris.pretrained.catalog.presets import TINY, TINY_FOLDER
from ris.pretrained.clip.vit import ClipEncoder, embed_pictures
from ris.referring.emphasis import TokenPositions, emphasise_primary_word
from training import train_describer, train_itm
from training.blip import IMAGE_SIDE, SEP_ID, copy_clip_weights, make_blip_config
from training.train_itm import compute_emphasised_heat

CLIP = TINY_FOLDER / "clip"


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(CLIP)


@pytest.fixture(scope="module")
def batch():
    arguments = argparse.Namespace(scenes=3, expressions=4, false=2)
    return train_itm.make_itm_batch(random.Random(4), arguments)


def test_the_start_sees_what_the_tiny_clip_sees_before_its_first_masked_block(tokenizer):
    model = BlipForImageTextRetrieval(make_blip_config(len(tokenizer), text_layers=1, text_inner=16)).eval()
    words = model.text_encoder.embeddings.word_embeddings
    copy_clip_weights(model.vision_model, words, CLIP)
    clip = ClipEncoder.load(CLIP)
    pixels = torch.randn(1, 3, IMAGE_SIDE, IMAGE_SIDE, generator=torch.Generator().manual_seed(0))

    with torch.no_grad():
        wanted = embed_pictures(clip.model.visual, pixels, TINY.global_local.first_masked_block)
        got = model.vision_model(pixel_values=pixels).last_hidden_state

    layer_norm = torch.nn.functional.layer_norm(wanted, wanted.shape[-1:], eps=1e-5)
    torch.testing.assert_close(got, layer_norm, atol=2e-3, rtol=1e-3)


def test_false_texts_fit_nothing_in_their_scene(batch):
    assert batch.is_true.count(False) == 6
    assert batch.is_true.count(True) == sum(r >= 0 for r in batch.referent)
    assert all(end == 0 for end, true in zip(batch.subject_end, batch.is_true, strict=True) if not true)


def test_the_trained_heat_is_the_methods_own_emphasis(tokenizer, batch):
    tokens = train_itm.tokenize_batch(tokenizer, batch)
    rng = np.random.default_rng(0)
    shape = (len(batch.texts), 3, tokens.ids.shape[1], 144)
    attention, gradient = rng.random(shape, np.float32), rng.random(shape, np.float32)

    maps = compute_emphasised_heat(torch.tensor(attention), torch.tensor(gradient), tokens).numpy()

    for i, is_true in enumerate(batch.is_true):
        focus = tuple(np.flatnonzero(tokens.is_focus[i]).tolist())
        if not is_true or len(focus) < 2:
            continue
        primary = tuple(np.flatnonzero(tokens.is_primary[i]).tolist())
        assert len(primary) == 1
        pieces = TokenPositions(focus, primary, int(tokens.is_text[i].sum()))
        wanted = emphasise_primary_word(attention[i], gradient[i], pieces)
        got = (maps[i] - maps[i].min()) / np.ptp(maps[i])
        np.testing.assert_allclose(got, wanted, atol=1e-4)


def test_the_primary_token_is_the_noun_of_the_subject(tokenizer, batch):
    tokens = train_itm.tokenize_batch(tokenizer, batch)

    for text, end, row, mask in zip(
        batch.texts, batch.subject_end, tokens.ids, tokens.is_primary, strict=True
    ):
        if end:
            assert text[:end].endswith(tokenizer.decode(row[mask]).strip().removeprefix("##"))


def test_one_step_of_the_matchers_training_has_a_gradient_everywhere_that_is_read(tokenizer, batch):
    torch.manual_seed(0)
    model = BlipForImageTextRetrieval(make_blip_config(len(tokenizer), text_layers=4, text_inner=32)).train()
    probe = train_itm.Probe(model.text_encoder, train_itm.ITM_LAYER)

    parts, seen = train_itm.compute_itm_losses(
        model, probe, batch, train_itm.tokenize_batch(tokenizer, batch)
    )
    torch.stack(list(parts.values())).sum().backward()

    assert all(torch.isfinite(value) for value in parts.values())
    assert len(seen["peak"]) == batch.is_true.count(True)
    read = [n for n, p in model.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0]
    assert any("vision_model" in n for n in read)
    assert any("layer.2.crossattention.self.query" in n for n in read)
    assert any("itm_head" in n for n in read)


def test_the_describer_is_asked_with_a_prompt_and_marked_on_its_answer(tokenizer):
    batch = train_describer.make_describer_batch(
        random.Random(2), argparse.Namespace(scenes=2, expressions=3)
    )

    ids, labels = train_describer.encode_prompts(tokenizer, batch)

    for prompt, answer, row, label in zip(batch.prompts, batch.answers, ids, labels, strict=True):
        said = label[label != train_describer.IGNORED_LABEL]
        assert said[-1] == SEP_ID
        assert tokenizer.decode(said[:-1]) == answer
        n_read = int((row != 0).sum())
        assert tokenizer.decode(row[1 : n_read - len(said)]) == tokenizer.decode(
            tokenizer(prompt, add_special_tokens=False)["input_ids"]
        )
        assert prompt.startswith(("[ATT] ", "[SUR] "))


def test_the_describer_starts_with_the_matchers_image_encoder_and_embeddings(tmp_path, tokenizer):
    config = make_blip_config(len(tokenizer), text_layers=4, text_inner=768)
    matcher = BlipForImageTextRetrieval(config)
    matcher.save_pretrained(tmp_path)

    made = train_describer.make_describer(tmp_path, len(tokenizer))

    assert isinstance(made, BlipForConditionalGeneration)
    theirs, ours = matcher.state_dict(), made.state_dict()
    name = "encoder.layer.2.crossattention.self.query.weight"
    torch.testing.assert_close(ours[f"text_decoder.bert.{name}"], theirs[f"text_encoder.{name}"])
    name = "vision_model.embeddings.position_embedding"
    torch.testing.assert_close(ours[name], theirs[name])

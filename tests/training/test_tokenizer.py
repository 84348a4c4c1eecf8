"""The tokenizer: whole words for the world, letters for the rest, and both libraries load it."""

import json
import random

import open_clip
import pytest
import transformers

from ris.tinyworld.descriptions import make_caption
from ris.tinyworld.expressions import make_expressions
from ris.tinyworld.scene import make_scene
from ris.tinyworld.sprites import COLOURS, NOUNS
from training import tokenizer as module

START, END, PAD, UNKNOWN = 2, 3, 0, 1


@pytest.fixture(scope="module")
def vocabulary():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "N_SCENES", 300)  # a tenth: the rarest numbers may be missing
        return module.list_words()


@pytest.fixture(scope="module")
def tokenizer(vocabulary):
    return module.make_tokenizer(vocabulary)


@pytest.fixture(scope="module")
def folder(tokenizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    tokenizer.save_pretrained(folder)
    return folder


def test_nouns_and_colours_are_whole_words(vocabulary):
    assert set(NOUNS) <= set(vocabulary)
    assert set(COLOURS) <= set(vocabulary)


def test_the_vocabulary_is_small_and_in_order(vocabulary):
    assert vocabulary == sorted(set(vocabulary))
    assert 250 < len(vocabulary) < 400


def test_what_the_world_says_has_no_unknown_piece_and_hardly_any_letters(tokenizer):
    rng = random.Random(42)
    n_pieces = n_fragments = 0

    for _ in range(60):
        scene = make_scene(rng)
        for text in [e.text for e in make_expressions(scene, rng)] + [make_caption(scene, rng)]:
            pieces = tokenizer.tokenize(text)
            assert "[UNK]" not in pieces
            n_pieces += len(pieces)
            n_fragments += sum(piece.startswith("##") for piece in pieces)

    assert n_fragments < 0.02 * n_pieces


@pytest.mark.parametrize(
    "text", ["the zebra", "xylophone-player's 3rd hat", "Café, LEFT!", "the RED dog", "a"]
)
def test_words_it_never_saw_fall_apart_into_letters(tokenizer, text):
    ids = tokenizer(text).input_ids

    assert UNKNOWN not in ids
    assert ids[0] == START and ids[-1] == END


def test_case_does_not_matter(tokenizer):
    assert tokenizer("The Red DOG").input_ids == tokenizer("the red dog").input_ids


def test_special_pieces_stay_whole_inside_a_text(tokenizer):
    ids = tokenizer("[ATT] the red dog : [SUR]").input_ids

    assert tokenizer.convert_tokens_to_ids("[ATT]") in ids
    assert tokenizer.convert_tokens_to_ids("[SUR]") in ids
    assert tokenizer.convert_tokens_to_ids(module.SPECIAL_TOKENS) == list(range(len(module.SPECIAL_TOKENS)))


def test_auto_tokenizer_loads_the_folder(tokenizer, folder):
    loaded = transformers.AutoTokenizer.from_pretrained(folder)

    text = "the dark red mug left of the zebra [DEC]"
    assert loaded(text).input_ids == tokenizer(text).input_ids
    assert (loaded.pad_token_id, loaded.sep_token_id, loaded.bos_token) == (PAD, END, "[DEC]")
    assert (
        loaded.decode(loaded("a red dog, top left").input_ids, skip_special_tokens=True)
        == "a red dog, top left"
    )


def test_open_clip_loads_the_folder(tokenizer, folder):
    text_config = {
        "context_length": 24,
        "vocab_size": len(tokenizer),
        "hf_tokenizer_name": "local",
        "pool_type": "eos",
        "eos_id": END,
        "pad_id": PAD,
    }
    model_config = {"embed_dim": 8, "vision_cfg": {}, "text_cfg": text_config}
    (folder / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": model_config, "preprocess_cfg": {}})
    )

    ids = open_clip.get_tokenizer(f"local-dir:{folder}")(["the red dog", "left " * 60])

    assert ids.shape == (2, 24)
    expected = tokenizer("the red dog").input_ids
    assert ids[0].tolist() == expected + [PAD] * (24 - len(expected))
    assert ids[1, 0] == START and ids[1, -1] == END

"""The parser's training: what it reads and what it leaves behind."""

import argparse
import random
from pathlib import Path

import numpy as np
import spacy
from spacy.language import Language
from thinc.api import Adam

from training.train_parser import (
    OPTIMISER_PARTS,
    batch_sentences,
    get_node_ids,
    load_parser_checkpoint,
    make_example,
    make_phrase_source,
    make_pipeline,
    save_parser_checkpoint,
    save_pipeline,
    stream_sentences,
)
from training.treebank import Sentence

SENTENCE = Sentence(
    ("the", "zorblax", "sees", "an", "annual", "approving", "dog"),
    ("DET", "NOUN", "VERB", "DET", "ADJ", "VERB", "NOUN"),
    (1, 2, 2, 6, 6, 6, 2),
    ("det", "nsubj", "ROOT", "det", "amod", "amod", "obj"),
)


def make_arguments(folder: Path, *held_out: str) -> argparse.Namespace:
    rows = [f"plain\t{expression}\t{expression}" for expression in held_out]
    (folder / "table.tsv").write_text("\n".join(["kind\texpression\tsubject", *rows]) + "\n")
    return argparse.Namespace(table=folder / "table.tsv", phrase_share=0.5, typos=0.0)


def test_an_expression_of_the_table_is_never_drawn(tmp_path):
    first = make_phrase_source([SENTENCE] * 3, random.Random(1), make_arguments(tmp_path))()
    held_out = " ".join(first.words)

    again = make_phrase_source([SENTENCE] * 3, random.Random(1), make_arguments(tmp_path, held_out))

    assert held_out not in {" ".join(again().words) for _ in range(300)}


def test_the_stream_brings_sentences_and_phrases(tmp_path):
    args = make_arguments(tmp_path)
    grammar = make_phrase_source([SENTENCE] * 3, random.Random(2), args)
    source = stream_sentences([SENTENCE] * 3, grammar, random.Random(2), args)

    read = [next(source) for _ in range(200)]

    n_sentences = sum("zorblax" in sentence.words for sentence in read)
    assert 60 < n_sentences < 190


def test_a_batch_has_as_many_words_as_asked_for():
    batch = next(batch_sentences(iter([SENTENCE] * 10), 15))

    assert len(batch) == 3


def test_a_saved_pipeline_answers_alike_without_the_words_of_its_training(tmp_path):
    nlp = make_pipeline()
    nlp.initialize(lambda: [make_example(nlp, SENTENCE)] * 20)
    nlp.update([make_example(nlp, SENTENCE)] * 5)

    save_pipeline(nlp, tmp_path)

    shipped = spacy.load(tmp_path / "parser")
    assert "zorblax" not in shipped.vocab.strings
    assert shipped("the annual dog").to_json() == nlp("the annual dog").to_json()
    assert shipped.meta["license"] == "CC BY-SA 4.0"


def started() -> tuple[Language, Adam]:
    nlp = make_pipeline()
    nlp.initialize(lambda: [make_example(nlp, SENTENCE)] * 20)
    return nlp, Adam(0.001)


def state_of(nlp: Language, optimiser: Adam) -> list[np.ndarray]:
    """All weights, and what the optimiser remembers of them, in the order of the layers."""
    nodes = [node for _, pipe in nlp.components for node in pipe.model.walk()]
    weights = [node.get_param(name) for node in nodes for name in node.param_names if node.has_param(name)]
    places = {node: place for place, node in enumerate(get_node_ids(nlp))}
    for part in OPTIMISER_PARTS:
        kept = sorted((places[node], name, value) for (node, name), value in getattr(optimiser, part).items())
        weights += [np.asarray(value) for _, _, value in kept]
    return weights


def test_a_stopped_training_finds_its_weights_its_momentum_and_its_step_again(tmp_path):
    nlp, optimiser = started()
    for _ in range(3):
        nlp.update([make_example(nlp, SENTENCE)] * 5, sgd=optimiser)
    save_parser_checkpoint(tmp_path / "checkpoint.npz", nlp, optimiser, 3, 0.5)

    again, its_optimiser = started()
    assert load_parser_checkpoint(tmp_path / "checkpoint.npz", again, its_optimiser) == (3, 0.5)

    before, after = state_of(nlp, optimiser), state_of(again, its_optimiser)
    assert len(before) > 100
    for one, two in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, two)


def test_without_a_checkpoint_a_training_starts_at_the_beginning(tmp_path):
    assert load_parser_checkpoint(tmp_path / "none.npz", make_pipeline(), Adam(0.1)) == (0, -1.0)

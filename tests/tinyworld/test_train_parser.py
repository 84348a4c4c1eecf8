"""The parser's training: what it reads and what it leaves behind."""

import argparse
import random
from pathlib import Path

import spacy

from tinyworld.train_parser import batches_of, example, new_pipeline, phrases, save, stream
from tinyworld.treebank import Sentence

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
    first = phrases([SENTENCE] * 3, random.Random(1), make_arguments(tmp_path))()
    held_out = " ".join(first.words)

    again = phrases([SENTENCE] * 3, random.Random(1), make_arguments(tmp_path, held_out))

    assert held_out not in {" ".join(again().words) for _ in range(300)}


def test_the_stream_brings_sentences_and_phrases(tmp_path):
    args = make_arguments(tmp_path)
    grammar = phrases([SENTENCE] * 3, random.Random(2), args)
    source = stream([SENTENCE] * 3, grammar, random.Random(2), args)

    read = [next(source) for _ in range(200)]

    n_sentences = sum("zorblax" in sentence.words for sentence in read)
    assert 60 < n_sentences < 190


def test_a_batch_has_as_many_words_as_asked_for():
    batch = next(batches_of(iter([SENTENCE] * 10), 15))

    assert len(batch) == 3


def test_a_saved_pipeline_answers_alike_without_the_words_of_its_training(tmp_path):
    nlp = new_pipeline()
    nlp.initialize(lambda: [example(nlp, SENTENCE)] * 20)
    nlp.update([example(nlp, SENTENCE)] * 5)

    save(nlp, tmp_path)

    shipped = spacy.load(tmp_path / "parser")
    assert "zorblax" not in shipped.vocab.strings
    assert shipped("the annual dog").to_json() == nlp("the annual dog").to_json()
    assert shipped.meta["license"] == "CC BY-SA 4.0"

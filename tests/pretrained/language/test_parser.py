"""The noun-phrase rule on Docs built by hand, and the embedded pipeline on a table of expressions."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc
from spacy.vocab import Vocab

import ris.pretrained
from ris.core.expression import ParsedExpression
from ris.errors import WeightsError
from ris.pretrained.language.english_ud import EnglishUD
from ris.pretrained.language.parser import (
    MAX_PARSED_CHARACTERS,
    SpacyParser,
    find_referent_chunk,
    join_tokens,
)

PIPELINE = Path(ris.pretrained.__file__).parent / "tiny" / "parser"
TABLE = Path(__file__).parents[2] / "data" / "referring_phrases.tsv"
PLAIN = spacy.blank("en").vocab  # spaCy's own labels: dobj, pobj
UD = EnglishUD().vocab


def make_doc(vocab: Vocab, tree: str) -> Doc:
    """A Doc from "word/TAG/relation/head ..." with heads counted from 0; "_" is a space."""
    rows = [token.rsplit("/", 3) for token in tree.split()]
    words, tags, labels, heads = zip(*rows, strict=True)
    words = [word.replace("_", " ") for word in words]
    return Doc(vocab, words=words, pos=tags, deps=labels, heads=[int(head) for head in heads])


def subject(doc: Doc) -> str | None:
    chunk = find_referent_chunk(doc)
    return None if chunk is None else chunk.text


@pytest.fixture(scope="module")
def parser() -> SpacyParser:
    return SpacyParser.load(PIPELINE)


RULE = [
    pytest.param(
        PLAIN,
        "the/DET/det/1 mug/NOUN/ROOT/1 on/ADP/prep/1 the/DET/det/4 left/NOUN/pobj/2",
        "the mug",
        id="the root is in a chunk",
    ),
    pytest.param(
        PLAIN,
        "man/NOUN/nsubj/2 is/AUX/aux/2 holding/VERB/ROOT/2 a/DET/det/4 dog/NOUN/dobj/2",
        "man",
        id="a verb whose first child is in a chunk",
    ),
    pytest.param(
        PLAIN,
        "sitting/VERB/ROOT/0 on/ADP/prep/0 the/DET/det/3 bench/NOUN/pobj/1",
        None,
        id="a verb whose first child is in none",
    ),
    pytest.param(
        PLAIN,
        "now/ADV/advmod/2 he/PRON/nsubj/2 runs/VERB/ROOT/2",
        None,
        id="only the first child counts",
    ),
    pytest.param(
        PLAIN,
        "on/ADP/ROOT/0 the/DET/det/2 left/NOUN/pobj/0",
        "the left",
        id="a preposition whose first child is its noun",
    ),
    pytest.param(
        PLAIN,
        "two/NUM/nummod/1 dogs/NOUN/ROOT/1 ./PUNCT/punct/1 the/DET/det/5 left/ADJ/amod/5 one/NOUN/ROOT/5",
        "the left one",
        id="of two roots the last",
    ),
    pytest.param(PLAIN, "far/ADV/advmod/1 left/ADV/ROOT/1", None, id="no chunk at all"),
    pytest.param(PLAIN, "left/ADV/ROOT/0", None, id="a root without children"),
    pytest.param(
        PLAIN,
        "the/DET/det/1 smaller/ADJ/ROOT/1 of/ADP/prep/1 the/DET/det/4 dogs/NOUN/pobj/2",
        None,
        id="an adjective whose first child is an article",
    ),
    pytest.param(
        PLAIN,
        "the/DET/det/1 cup/NOUN/nsubj/2 is/AUX/ROOT/2 blue/ADJ/acomp/2",
        "the cup",
        id="a copula is a verb like others",
    ),
    pytest.param(
        UD,
        "the/DET/det/1 cup/NOUN/nsubj/3 is/AUX/cop/3 blue/ADJ/ROOT/3",
        "the cup",
        id="UD: the predicate is the root",
    ),
    pytest.param(
        UD,
        "the/DET/det/1 dog/NOUN/nsubj/5 is/AUX/cop/5 on/ADP/case/5 the/DET/det/5 left/NOUN/ROOT/5",
        "the dog",
        id="UD: a noun that has a subject is said of it",
    ),
    pytest.param(
        UD,
        "sitting/VERB/ROOT/0 on/ADP/case/3 the/DET/det/3 bench/NOUN/obl/0",
        None,
        id="UD: a preposition hides its noun",
    ),
    pytest.param(
        UD,
        "wearing/VERB/ROOT/0 a/DET/det/3 yellow/ADJ/amod/3 coat/NOUN/obj/0",
        "a yellow coat",
        id="UD: an object is a first child too",
    ),
    pytest.param(
        UD, "on/ADP/case/2 the/DET/det/2 left/NOUN/ROOT/2", "the left", id="UD: a root keeps its noun's chunk"
    ),
    pytest.param(
        UD,
        "smallest/ADJ/ROOT/0 of/ADP/case/3 the/DET/det/3 pots/NOUN/nmod/0",
        None,
        id="UD: of several is no referent",
    ),
]


@pytest.mark.parametrize(("vocab", "tree", "expected"), RULE)
def test_the_referent_is_named_by_the_rule_of_the_source(vocab, tree, expected):
    assert subject(make_doc(vocab, tree)) == expected


def test_an_empty_doc_has_no_referent():
    assert find_referent_chunk(EnglishUD()("")) is None


def test_tokens_are_joined_by_single_spaces():
    assert join_tokens(EnglishUD()("the man's t-shirt")) == "the man 's t - shirt"


@pytest.mark.parametrize(
    "space", ["_/SPACE/dep/1", "__/SPACE/dep/1", "___/SPACE/dep/1"], ids=["one", "two", "three"]
)
def test_runs_of_white_space_are_dropped_wherever_they_are(space):
    assert join_tokens(make_doc(UD, f"{space} mug/NOUN/ROOT/1")) == "mug"


def test_a_table_of_expressions_is_read_as_a_person_reads_it(parser):
    rows = [line.split("\t") for line in TABLE.read_text().splitlines()[1:]]
    misses = [
        (expression, found)
        for _, expression, expected in rows
        if (found := parser.parse(expression).subject) != expected
    ]

    assert len(rows) >= 60
    assert len(misses) <= 0.15 * len(rows), misses


def test_landmarks_are_the_other_noun_phrases_in_order(parser):
    parsed = parser.parse("The red cup between the plate and the bottle")

    assert parsed.text == "the red cup between the plate and the bottle"
    assert (parsed.subject, parsed.landmarks) == ("the red cup", ("the plate", "the bottle"))


def test_words_know_their_place_and_their_part_of_speech(parser):
    parsed = parser.parse("the man's red  cup")

    assert parsed.text == "the man 's red cup"
    assert [parsed.text[w.start : w.stop] for w in parsed.words] == ["the", "man", "'s", "red", "cup"]
    assert [w.pos for w in parsed.words if w.text in ("man", "red", "cup")] == ["NOUN", "ADJ", "NOUN"]


@pytest.mark.parametrize(
    ("words", "primary"),
    [
        ("the left mug", "mug"),
        ("guy in white shirt on left", "guy"),
        ("the alarm clock", "clock"),
        ("second dog from the left", "dog"),
        ("the two dogs on the left", "dogs"),
        ("red", None),
        ("", None),
    ],
)
def test_the_primary_word_names_the_referent(parser, words, primary):
    parsed = parser.parse(words)

    assert (parsed.primary if parsed.primary is None else parsed.words[parsed.primary].text) == primary


def test_of_several_sentences_the_last_names_the_subject_and_the_first_the_primary_word(parser):
    parsed = parser.parse("two dogs. the left one")

    assert parsed.subject == "the left one"
    assert [word.text for word in parsed.words[: parsed.n_first_sentence]] == ["two", "dogs", "."]
    assert parsed.words[parsed.primary].text == "dogs"
    assert parser.parse("two dogs on the left").n_first_sentence is None


def test_a_text_is_read_as_it_stands(parser):
    tree = parser.parse_tree("The man's T-shirt near  a Mug")

    assert "".join(node.text for node in tree.nodes) == "Theman'sT-shirtnear aMug"
    assert [tree.text[n.start : n.start + len(n.text)] for n in tree.nodes] == [n.text for n in tree.nodes]
    assert [tree.get_text(*phrase) for phrase in tree.phrases] == ["The man's T-shirt", "a Mug"]
    assert tree.noun_phrase == "The man's T-shirt"


@pytest.mark.parametrize("text", ["", " ", "It", "far left", "左边的杯子", "!!!", "mug\n" * 2_000, "\u0000"])
def test_any_text_has_a_tree(parser, text):
    tree = parser.parse_tree(text)

    assert tree.text == text[: len(tree.text)]
    assert tree.noun_phrase == tree.text or tree.referent is not None


def test_an_exception_for_ud_is_made_in_its_trees_alone():
    """In spaCy's own English a noun that has a subject keeps its phrase, as in the source."""
    tree = "dog/NOUN/ROOT/0 this/PRON/nsubj/0"

    assert subject(make_doc(PLAIN, tree)) == "dog"
    assert subject(make_doc(UD, tree)) == "this"


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("the left dog", 1),
        ("the two dogs on the left", 2),
        ("both mugs", 2),
        ("three sheep by the tree", 3),
        ("the dogs on the left", 0),
        ("the people", 0),
        ("the bus", 1),
        ("the dress", 1),
        ("his glasses", 1),
        ("second dog from the left", 1),
        ("a sheep", 1),
        ("", 1),
    ],
)
def test_how_many_things_are_meant(parser, words, count):
    assert parser.parse(words).count == count


def test_case_makes_no_difference(parser):
    loud = parser.parse("LEFT MUG ON THE TABLE")

    assert loud.raw == "LEFT MUG ON THE TABLE"
    assert replace(loud, raw=loud.text) == parser.parse("left mug on the table")


@pytest.mark.parametrize(
    "expression",
    ["  left mug", "left mug  ", "left  mug", "left\tmug", "\n left \r\n\n mug\n", "left mug\u2003"],
    ids=["leading", "trailing", "between", "tab", "lines", "em space"],
)
def test_white_space_makes_no_difference(parser, expression):
    assert parser.parse(expression) == parser.parse("left mug")


@pytest.mark.parametrize("expression", ["", " ", "  ", "\n"], ids=["empty", "space", "two spaces", "line"])
def test_nothing_said_is_a_subject_of_no_words(parser, expression):
    assert parser.parse(expression) == ParsedExpression("", "", ())


@pytest.mark.parametrize(
    "expression",
    [
        "左边的杯子",
        "кружка слева",
        "الكوب الأيسر",
        "왼쪽 컵",
        "🐕 on the left",
        "!!!",
        "?",
        "\u0000",
        "\u200b",
        "e\u0301",
        "İstanbul mug",
        "1 2 3",
        "' ' '",
    ],
)
def test_any_script_has_a_subject(parser, expression):
    parsed = parser.parse(expression)

    assert parsed.subject in parsed.text
    assert parsed.subject


def test_without_a_noun_phrase_the_whole_text_is_the_subject(parser):
    assert parser.parse("far left").subject == "far left"


@pytest.mark.parametrize(
    "expression",
    [
        "the left mug near a plate " * 400,
        "mug" * 10_000,
        "a.b-c/d'" * 5_000,
        "mug\n" * 2_000,
        " " * 2_000_000,
    ],
    ids=["2,400 words", "one word", "one token of many", "lines", "spaces"],
)
def test_a_very_long_expression_is_cut(parser, expression):
    parsed = parser.parse(expression)

    assert len(parsed.text) <= 2 * MAX_PARSED_CHARACTERS


def test_the_cut_keeps_the_beginning(parser):
    assert parser.parse("the left mug " * 700).text.startswith("the left mug the left mug")


def test_a_missing_pipeline_is_named(tmp_path):
    with pytest.raises(
        WeightsError, match=r"the parser .*nowhere is missing or damaged .*; install it again"
    ):
        SpacyParser.load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "name",
    [
        "config.cfg",
        "meta.json",
        "tokenizer",
        "tok2vec/model",
        "morphologizer/cfg",
        "parser/model",
        "parser/moves",
    ],
)
@pytest.mark.parametrize("damage", ["missing", "cut short", "empty"])
def test_a_damaged_pipeline_is_named(tmp_path, name, damage):
    folder = shutil.copytree(PIPELINE, tmp_path / "parser")
    file = folder / name
    content = file.read_bytes()
    file.unlink()
    if damage != "missing":
        file.write_bytes(content[: len(content) // 2] if damage == "cut short" else b"")

    with pytest.raises(WeightsError, match="is missing or damaged"):
        SpacyParser.load(folder)


def test_a_pipeline_that_needs_another_package_says_which(tmp_path):
    folder = shutil.copytree(PIPELINE, tmp_path / "parser")
    meta = json.loads((folder / "meta.json").read_text())
    needed = ["spacy-of-nobody<1.0.0,>=0.2.2", "spacy>=99", "numpy>=2"]
    (folder / "meta.json").write_text(json.dumps(meta | {"requirements": needed}))

    with pytest.raises(
        WeightsError, match=r"needs other packages: pip install 'spacy-of-nobody<1.0.0,>=0.2.2' 'spacy>=99'$"
    ):
        SpacyParser.load(folder)


def test_a_pipeline_without_a_parser_is_refused(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.to_disk(tmp_path / "plain")

    with pytest.raises(WeightsError, match="has no parser and tagger, only sentencizer; name one that has"):
        SpacyParser.load(tmp_path / "plain")


def test_threads_do_not_disturb_each_other(parser):
    expressions = [
        f"the {colour} mug near the {thing}" for colour in ("red", "blue") for thing in ("plate", "dog")
    ]
    expected = [parser.parse(expression) for expression in expressions * 25]

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(parser.parse, expressions * 25))

    assert found == expected


def test_a_word_never_met_before_leaves_the_answers_as_they_were(parser):
    before = parser.parse("the zorblax next to the quuxle")
    for i in range(50):
        parser.parse(f"the w{i}ord{i} near the p{i}late")

    assert parser.parse("the zorblax next to the quuxle") == before

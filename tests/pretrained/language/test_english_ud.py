"""Noun chunks of trees with Universal Dependencies labels, on Docs built by hand."""

import pytest
import spacy
from spacy.tokens import Doc
from spacy.vocab import Vocab

from ris.pretrained.language.english_ud import EnglishUD


@pytest.fixture(scope="module")
def vocab() -> Vocab:
    return EnglishUD().vocab


def make_doc(vocab: Vocab, tree: str) -> Doc:
    """A Doc from "word/TAG/relation/head ..." with heads counted from 0."""
    rows = [token.rsplit("/", 3) for token in tree.split()]
    words, tags, labels, heads = zip(*rows, strict=True)
    return Doc(vocab, words=words, pos=tags, deps=labels, heads=[int(head) for head in heads])


def chunks(doc: Doc) -> list[str]:
    return [chunk.text for chunk in doc.noun_chunks]


TREES = [
    pytest.param(
        "the/DET/det/2 left/ADJ/amod/2 mug/NOUN/ROOT/2", ["the left mug"], id="what stands before a noun"
    ),
    pytest.param(
        "man/NOUN/ROOT/0 in/ADP/case/4 a/DET/det/4 red/ADJ/amod/4 hat/NOUN/nmod/0",
        ["man", "a red hat"],
        id="a preposition is a child of its noun, yet outside",
    ),
    pytest.param(
        "cup/NOUN/ROOT/0 that/PRON/nsubj/4 is/AUX/cop/4 not/PART/advmod/4 blue/ADJ/acl:relcl/0",
        ["cup"],
        id="a relative clause is outside and its pronoun no phrase",
    ),
    pytest.param(
        "bottle/NOUN/ROOT/0 of/ADP/case/2 wine/NOUN/nmod/0",
        ["bottle", "wine"],
        id="an nmod after the noun is outside",
    ),
    pytest.param(
        "man/NOUN/nsubj/1 wearing/VERB/ROOT/1 hats/NOUN/obj/1 on/ADP/case/4 monday/PROPN/obl/1",
        ["man", "hats", "monday"],
        id="objects and obliques are phrases of their own",
    ),
    pytest.param(
        "man/NOUN/nmod:poss/3 's/PART/case/0 left/ADJ/amod/3 arm/NOUN/ROOT/3",
        ["man 's left arm"],
        id="a possessor is inside, with its case marker",
    ),
    pytest.param(
        "red/ADJ/amod/1 shirt/NOUN/compound/2 guy/NOUN/ROOT/2",
        ["red shirt guy"],
        id="a compound is inside, not nested",
    ),
    pytest.param(
        "a/DET/det/4 12/NUM/nummod/2 year/NOUN/obl:unmarked/3 old/ADJ/amod/4 boy/NOUN/ROOT/4",
        ["a 12 year old boy"],
        id="a noun inside an adjective does not cut the phrase",
    ),
    pytest.param(
        "black/ADJ/amod/1 cat/NOUN/ROOT/1 bottom/ADJ/amod/4 right/ADJ/amod/4 corner/NOUN/nmod:unmarked/1",
        ["black cat", "bottom right corner"],
        id="a place after the noun is another phrase",
    ),
    pytest.param(
        "not/PART/advmod/3 the/DET/det/3 red/ADJ/amod/3 cup/NOUN/ROOT/3", ["the red cup"], id="not is outside"
    ),
    pytest.param(
        "it/PRON/nsubj/4 is/AUX/cop/4 the/DET/det/4 blue/ADJ/amod/4 chair/NOUN/ROOT/4",
        ["it", "the blue chair"],
        id="the subject and copula of a noun are outside",
    ),
    pytest.param(
        "mom/NOUN/ROOT/0 and/CCONJ/cc/3 the/DET/det/3 baby/NOUN/conj/0",
        ["mom", "the baby"],
        id="what is coordinated is another phrase",
    ),
    pytest.param(
        "bread/NOUN/compound/3 and/CCONJ/cc/2 butter/NOUN/conj/0 plate/NOUN/ROOT/3",
        ["bread and butter plate"],
        id="what is coordinated inside a compound is not",
    ),
    pytest.param(
        "mary/PROPN/ROOT/0 jo/PROPN/flat/0 foley/PROPN/flat/0", ["mary jo foley"], id="a name goes on"
    ),
    pytest.param(
        "t/NOUN/compound/2 -/PUNCT/punct/0 shirt/NOUN/ROOT/2",
        ["t - shirt"],
        id="a hyphen does not cut the phrase",
    ),
    pytest.param(
        "left/ADJ/amod/2 most/X/goeswith/0 horse/NOUN/ROOT/2",
        ["left most horse"],
        id="a split word stays inside",
    ),
    pytest.param(
        "there/PRON/expl/1 is/VERB/ROOT/1 it/PRON/nsubj/1", ["it"], id="expletive there is no phrase"
    ),
    pytest.param("far/ADV/advmod/1 left/ADV/ROOT/1", [], id="no noun, no phrase"),
]


@pytest.mark.parametrize(("tree", "expected"), TREES)
def test_noun_chunks_read_ud_labels(vocab, tree, expected):
    assert chunks(make_doc(vocab, tree)) == expected


def test_noun_chunks_of_a_span_are_those_inside_it(vocab):
    doc = make_doc(vocab, "man/NOUN/ROOT/0 in/ADP/case/3 a/DET/det/3 hat/NOUN/nmod/0")

    assert [chunk.text for chunk in doc[1:].noun_chunks] == ["a hat"]


def test_noun_chunks_need_a_parse(vocab):
    with pytest.raises(ValueError, match="E029"):
        list(Doc(vocab, words=["left", "mug"]).noun_chunks)


def test_a_conjunct_without_a_first_one_ends_the_search(vocab):
    assert chunks(make_doc(vocab, "baby/NOUN/conj/0")) == ["baby"]


def test_spacy_knows_the_language():
    assert isinstance(spacy.blank("en_ud"), EnglishUD)


def test_case_is_no_feature(vocab):
    upper, lower = vocab["Wonderful"], vocab["wonderful"]

    assert (upper.prefix_, upper.suffix_, upper.shape_) == (lower.prefix_, lower.suffix_, lower.shape_)
    assert (lower.prefix_, lower.suffix_, lower.shape_) == ("won", "ful", "xxxx")

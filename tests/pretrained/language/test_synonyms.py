import nltk
import pytest

from ris.pretrained.language import synonyms
from ris.pretrained.language.synonyms import (
    EitherSynonyms,
    PlainSynonyms,
    WordNetSynonyms,
    find_synonyms,
    plain,
)


class Sense:
    """A synset: near another one when both carry the same meaning."""

    def __init__(self, meaning):
        self.meaning = meaning

    def path_similarity(self, other):
        return 1.0 if self.meaning == other.meaning else None


class Dictionary:
    def __init__(self, **senses):
        self.senses = senses

    def synsets(self, word):
        return [Sense(meaning) for meaning in self.senses.get(word, ())]


def test_three_close_pairs_of_senses_make_two_words_near():
    wordnet = WordNetSynonyms(Dictionary(couch=(1, 2, 3), sofa=(1, 2, 3, 4), settee=(1, 2), rug=(9,)))

    assert wordnet.near("couch", "sofa")
    assert not wordnet.near("couch", "settee")
    assert not wordnet.near("couch", "rug")
    assert not wordnet.near("couch", "unheard-of")


def test_a_word_of_two_senses_is_near_itself_by_our_rule_alone():
    dictionary = Dictionary(mug=(1, 2), couch=(1, 2, 3), sofa=(1, 2, 3))

    assert not WordNetSynonyms(dictionary).near("mug", "mug")
    assert EitherSynonyms(dictionary).near("mug", "mugs")
    assert EitherSynonyms(dictionary).near("couch", "sofa")
    assert not EitherSynonyms(dictionary).near("couch", "mug")


def test_without_wordnet_words_of_one_form_are_near():
    assert PlainSynonyms().near("Dogs", "dog")
    assert not PlainSynonyms().near("dog", "puppy")


@pytest.mark.parametrize(
    ("word", "form"),
    [
        ("mugs", "mug"), ("puppies", "puppy"), ("boxes", "box"), ("glasses", "glass"), ("benches", "bench"),
        ("men", "man"), ("people", "person"), ("bus", "bus"), ("dress", "dress"), ("Dog", "dog"), ("", ""),
    ],
)  # fmt: skip
def test_plain_forms(word, form):
    assert plain(word) == form


def test_wordnet_is_used_where_its_data_is_found_and_never_fetched(monkeypatch):
    monkeypatch.setattr(nltk.data, "find", lambda name: name)
    assert isinstance(find_synonyms("released"), WordNetSynonyms)
    assert isinstance(find_synonyms("plain words"), EitherSynonyms)

    def missing(name):
        raise LookupError(name)

    monkeypatch.setattr(synonyms.nltk.data, "find", missing)
    assert {find_synonyms(rule).source for rule in ("released", "plain words")} == {"lemma"}

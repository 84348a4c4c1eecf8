import nltk
import pytest

from ris.pretrained.language import synonyms
from ris.pretrained.language.synonyms import (
    CombinedSynonyms,
    PlainSynonyms,
    WordNetSynonyms,
    find_synonym_source,
    find_synonyms,
    list_data_folders,
    to_singular,
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

    assert wordnet.is_near("couch", "sofa")
    assert not wordnet.is_near("couch", "settee")
    assert not wordnet.is_near("couch", "rug")
    assert not wordnet.is_near("couch", "unheard-of")


def test_a_word_of_two_senses_is_near_itself_by_our_rule_alone():
    dictionary = Dictionary(mug=(1, 2), couch=(1, 2, 3), sofa=(1, 2, 3))

    assert not WordNetSynonyms(dictionary).is_near("mug", "mug")
    assert CombinedSynonyms(dictionary).is_near("mug", "mugs")
    assert CombinedSynonyms(dictionary).is_near("couch", "sofa")
    assert not CombinedSynonyms(dictionary).is_near("couch", "mug")


def test_without_wordnet_words_of_one_form_are_near():
    assert PlainSynonyms().is_near("Dogs", "dog")
    assert not PlainSynonyms().is_near("dog", "puppy")


@pytest.mark.parametrize(
    ("word", "form"),
    [
        ("mugs", "mug"), ("puppies", "puppy"), ("boxes", "box"), ("glasses", "glass"), ("benches", "bench"),
        ("men", "man"), ("people", "person"), ("bus", "bus"), ("dress", "dress"), ("Dog", "dog"), ("", ""),
    ],
)  # fmt: skip
def test_plain_forms(word, form):
    assert to_singular(word) == form


def test_wordnet_is_used_where_its_data_is_found_and_never_fetched(monkeypatch, tmp_path):
    monkeypatch.setattr(synonyms, "list_data_folders", lambda: [tmp_path])
    assert {find_synonyms(rule).source for rule in ("released", "plain words")} == {"lemma"}
    assert find_synonym_source() == "lemma"

    (tmp_path / "corpora" / "wordnet").mkdir(parents=True)
    assert isinstance(find_synonyms("released"), WordNetSynonyms)
    assert isinstance(find_synonyms("plain words"), CombinedSynonyms)
    assert find_synonym_source() == "wordnet"


def test_the_zip_file_of_wordnet_counts_too(monkeypatch, tmp_path):
    monkeypatch.setattr(synonyms, "list_data_folders", lambda: [tmp_path])
    (tmp_path / "corpora").mkdir()
    (tmp_path / "corpora" / "wordnet.zip").touch()

    assert find_synonym_source() == "wordnet"


def test_the_data_is_looked_for_where_nltk_looks():
    assert [str(folder) for folder in list_data_folders()] == nltk.data.path

"""Reading, roughening and joining trees."""

import random
from pathlib import Path

import pytest

from ris.pretrained.language.english_ud import EnglishUD
from training.treebank import (
    Sentence,
    add_noise,
    drop_words,
    find_frequent_words,
    join_sentences,
    make_typo,
    read_conllu,
    to_doc,
)

CONLLU = """# sent_id = 1
# text = The dog doesn't bark.
1\tThe\tthe\tDET\tDT\t_\t2\tdet\t_\t_
2\tdog\tdog\tNOUN\tNN\t_\t5\tnsubj\t_\t_
3-4\tdoesn't\t_\t_\t_\t_\t_\t_\t_\t_
3\tdoes\tdo\tAUX\tVBZ\t_\t5\taux\t_\t_
4\tn't\tnot\tPART\tRB\t_\t5\tadvmod\t_\t_
5\tbark\tbark\tVERB\tVB\t_\t0\troot\t_\t_
5.1\tbark\tbark\tVERB\tVB\t_\t_\t_\t_\t_
6\t.\t.\tPUNCT\t.\t_\t5\tpunct\t_\t_

1\tWoof\twoof\tINTJ\tUH\t_\t0\troot\t_\t_
"""


@pytest.fixture
def sentences(tmp_path: Path) -> list[Sentence]:
    (tmp_path / "some.conllu").write_text(CONLLU)
    return read_conllu(tmp_path / "some.conllu")


def test_conllu_gives_its_syntactic_words_in_lower_case(sentences):
    barks, woof = sentences

    assert barks.words == ("the", "dog", "does", "n't", "bark", ".")
    assert barks.tags == ("DET", "NOUN", "AUX", "PART", "VERB", "PUNCT")
    assert barks.heads == (1, 4, 4, 4, 4, 4)
    assert barks.labels == ("det", "nsubj", "aux", "advmod", "ROOT", "punct")
    assert woof == Sentence(("woof",), ("INTJ",), (0,), ("ROOT",))


def test_a_row_of_sentences_keeps_their_trees_and_is_split_again(sentences):
    doc = to_doc(join_sentences(sentences), EnglishUD().vocab)

    assert [sent.text for sent in doc.sents] == ["the dog does n't bark .", "woof"]
    assert [token.head.text for token in doc] == ["dog", "bark", "bark", "bark", "bark", "bark", "woof"]


def test_leaves_can_be_left_out(sentences):
    assert drop_words(sentences[0], {0, 5}) == Sentence(
        ("dog", "does", "n't", "bark"),
        ("NOUN", "AUX", "PART", "VERB"),
        (3, 3, 3, 3),
        ("nsubj", "aux", "advmod", "ROOT"),
    )


def test_a_word_that_others_depend_on_stays(sentences):
    with pytest.raises(ValueError, match="only leaves can be removed"):
        drop_words(sentences[0], {1})


def test_roughening_keeps_every_tree_whole(sentences):
    rng = random.Random(1)

    for _ in range(200):
        rough = add_noise(sentences[0], rng, typos=0.5)

        assert rough.labels.count("ROOT") == 1
        assert all(0 <= head < len(rough.words) for head in rough.heads)
        assert rough.words[rough.heads[rough.labels.index("nsubj")]][0] in "bark"


def test_without_typos_no_word_changes(sentences):
    assert set(add_noise(sentences[0], random.Random(2), typos=0).words) <= set(sentences[0].words)


def test_a_typo_changes_a_long_word_a_little_and_no_short_one():
    rng = random.Random(3)

    assert make_typo("dog", rng) == "dog"
    assert make_typo("1234", rng) == "1234"
    assert all(abs(len(make_typo("giraffe", rng)) - 7) <= 1 for _ in range(100))
    assert any(make_typo("giraffe", rng) != "giraffe" for _ in range(5))


def test_frequent_words_are_of_one_tag_and_sorted(sentences):
    assert find_frequent_words([*sentences, sentences[0]], "VERB", at_least=2) == ["bark"]
    assert find_frequent_words(sentences, "NOUN", at_least=2) == []

"""How labels and choices are written into answers, and what they mean."""

from xml.etree.ElementTree import fromstring

import pytest

from backend.errors import LabelConfigError
from backend.labelstudio.vocabulary import Meaning, Word, find_word, read_choice_tags, read_labels

LABELS = (Word("1st"), Word("2nd", "two"), Word("Dritte", "3rd"))


def choices(*words, name="pick", more=""):
    tags = "".join(f'<Choice value="{w.value}" alias="{w.alias}"/>' for w in words)
    return f'<Choices name="{name}" toName="image" {more}>{tags}</Choices>'


def read(*tags, labels=LABELS):
    return read_choice_tags(fromstring(f"<View>{''.join(tags)}</View>"), labels)


def meanings(*words, name="pick", labels=LABELS):
    (tag,) = read(choices(*words, name=name), labels=labels) or (None,)
    return [option.meaning for option in tag.options] if tag else None


def test_labels_are_written_by_their_alias_where_they_have_one():
    control = fromstring('<BrushLabels><Label value="a"/><Label value="b" alias="c"/></BrushLabels>')

    assert [label.written for label in read_labels(control)] == ["a", "c"]


@pytest.mark.parametrize(("said", "found"), [("1st", 0), ("two", 1), ("2nd", 1), (" 3rd ", 2), ("4th", None)])
def test_a_word_is_found_by_its_alias_or_its_value(said, found):
    assert find_word(LABELS, said) == (None if found is None else LABELS[found])


def test_of_two_words_the_one_that_is_written_so_is_found():
    assert find_word((Word("a", "b"), Word("b", "c")), "b") == Word("a", "b")


def test_a_choice_is_a_rank_when_any_of_its_forms_is_a_form_of_a_label():
    (tag,) = read(choices(Word("1st", "one"), Word("zwei", "2nd"), Word("3rd"), Word("what else")))

    assert [option.label for option in tag.options] == ["1st", "two", "3rd", ""]
    assert tag.is_pick
    assert tag.find("one").label == "1st"
    assert tag.find("4th") is None


@pytest.mark.parametrize(
    "word",
    [
        "no such thing",
        "No Referent",
        "not in the image",
        "not present",
        "no such object",
        "no match",
        "nothing",
    ],
)
def test_what_says_no_such_thing_in_a_tag_that_takes_masks(word):
    ranks = (Word("1st"), Word("2nd"))

    assert meanings(*ranks, Word(word))[2] is Meaning.NO_REFERENT
    assert meanings(*ranks, Word("gibt es nicht", word))[2] is Meaning.NO_REFERENT
    assert meanings(*ranks, Word(word, "absent"))[2] is Meaning.NO_REFERENT


def test_a_bare_none_is_an_answer_to_another_question_unless_the_tag_asks_for_the_referent():
    assert meanings(Word("none"), Word("half"), name="occlusion") is None
    assert meanings(Word("none"), Word("there"), name="referent") == [Meaning.NO_REFERENT, Meaning.NEUTRAL]
    assert meanings(Word("none"), name="c") == [Meaning.NO_REFERENT]


def test_drew_it_myself_is_said_only_where_masks_are_taken():
    assert meanings(Word("1st"), Word("2nd"), Word("drew it myself"))[2] is Meaning.OWN
    assert meanings(Word("other"), Word("fine"), name="quality") is None


def test_the_choice_that_keeps_the_expression_is_found():
    assert meanings(Word("keep the expression for the next image", "k"), name="keep") == [Meaning.KEEP]


def test_choices_about_single_regions_say_nothing_about_the_answer():
    assert read(choices(Word("no such thing"), more='perRegion="true"')) == ()


def test_of_two_tags_that_name_the_labels_the_one_called_pick_takes_masks():
    ranks = (Word("1st"), Word("2nd"))

    best, worst = read(choices(*ranks), choices(*ranks, Word("no match"), name="worst"))

    assert (best.is_pick, worst.is_pick) == (True, False)
    with pytest.raises(LabelConfigError, match=r"2 <Choices> name the labels of the masks \('a', 'b'\)"):
        read(choices(*ranks, name="a"), choices(*ranks, name="b"))


def test_two_choices_that_answers_cannot_tell_apart_are_refused():
    with pytest.raises(LabelConfigError, match="both written '2nd' into answers"):
        read(choices(Word("1st", "2nd"), Word("2nd")))

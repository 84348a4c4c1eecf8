"""How labels and choices are written into answers, and what they mean."""

from xml.etree.ElementTree import fromstring

import pytest

from ris.errors import LabelConfigError
from ris.labelstudio.config.vocabulary import ChoiceMeaning, Term, find_term, read_choice_tags, read_labels

LABELS = (Term("1st"), Term("2nd", "two"), Term("Dritte", "3rd"))


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

    assert [label.answer_text for label in read_labels(control)] == ["a", "c"]


@pytest.mark.parametrize(("said", "found"), [("1st", 0), ("two", 1), ("2nd", 1), (" 3rd ", 2), ("4th", None)])
def test_a_word_is_found_by_its_alias_or_its_value(said, found):
    assert find_term(LABELS, said) == (None if found is None else LABELS[found])


def test_of_two_words_the_one_that_is_written_so_is_found():
    assert find_term((Term("a", "b"), Term("b", "c")), "b") == Term("a", "b")


def test_a_choice_is_a_rank_when_any_of_its_forms_is_a_form_of_a_label():
    (tag,) = read(choices(Term("1st", "one"), Term("zwei", "2nd"), Term("3rd"), Term("what else")))

    assert [option.label for option in tag.options] == ["1st", "two", "3rd", ""]
    assert tag.is_pick
    assert tag.find_option("one").label == "1st"
    assert tag.find_option("4th") is None


@pytest.mark.parametrize(
    "word",
    [
        "object not in image",
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
    ranks = (Term("1st"), Term("2nd"))

    assert meanings(*ranks, Term(word))[2] is ChoiceMeaning.NO_REFERENT
    assert meanings(*ranks, Term("gibt es nicht", word))[2] is ChoiceMeaning.NO_REFERENT
    assert meanings(*ranks, Term(word, "absent"))[2] is ChoiceMeaning.NO_REFERENT


def test_a_bare_none_is_an_answer_to_another_question_unless_the_tag_asks_for_the_referent():
    assert meanings(Term("none"), Term("half"), name="occlusion") is None
    assert meanings(Term("none"), Term("there"), name="referent") == [
        ChoiceMeaning.NO_REFERENT,
        ChoiceMeaning.NEUTRAL,
    ]
    assert meanings(Term("none"), name="c") is None


@pytest.mark.parametrize("word", ["none", "not present", "not there", "no match", "missing", "not visible"])
@pytest.mark.parametrize(
    "name", ["object_visibility", "target_occlusion", "expression_errors", "mismatch", "logo"]
)
def test_what_other_questions_are_answered_with_is_no_no_such_thing(name, word):
    assert meanings(Term(word), Term("fine"), name=name) is None


@pytest.mark.parametrize("word", ["absent", "none of these", "nothing matches", "not visible", "no object"])
@pytest.mark.parametrize("name", ["referent", "the_target", "Objects"])
def test_in_a_tag_that_asks_for_the_referent_they_are(name, word):
    assert meanings(Term(word), Term("there"), name=name) == [
        ChoiceMeaning.NO_REFERENT,
        ChoiceMeaning.NEUTRAL,
    ]


@pytest.mark.parametrize(
    "word", ["drawn by me", "drew it myself", "I drew it", "own mask", "own", "mine", "redrawn", "other"]
)
def test_what_says_that_the_mask_was_drawn_where_masks_are_taken(word):
    assert meanings(Term("1st"), Term("2nd"), Term(word))[2] is ChoiceMeaning.OWN


@pytest.mark.parametrize("word", ["drawn by me", "Drawn by me", "drew it myself"])
def test_a_label_of_the_same_name_makes_no_alternative_of_what_says_that_it_was_drawn(word):
    labels = (Term("1st"), Term("2nd"), Term(word))

    (tag,) = read(choices(*labels), labels=labels)

    assert [(o.meaning, o.label) for o in tag.options] == [
        (ChoiceMeaning.RANK, "1st"), (ChoiceMeaning.RANK, "2nd"), (ChoiceMeaning.OWN, "")
    ]  # fmt: skip


def test_a_shorter_word_is_an_alternative_where_a_label_has_its_name():
    labels = (Term("1st"), Term("2nd"), Term("mine"))

    (tag,) = read(choices(*labels), labels=labels)

    assert [option.label for option in tag.options] == ["1st", "2nd", "mine"]


@pytest.mark.parametrize("word", ["other expression fits better", "their own", "1st but other colour"])
def test_what_speaks_of_something_else_says_nothing_of_drawing(word):
    assert meanings(Term("1st"), Term("2nd"), Term(word))[2] is ChoiceMeaning.NEUTRAL


def test_drew_it_myself_is_understood_in_every_tag_and_shorter_words_only_where_masks_are_taken():
    assert meanings(Term("drew it myself"), Term("fine"), name="how")[0] is ChoiceMeaning.OWN
    assert meanings(Term("other"), Term("drawn"), name="style") is None


def test_names_are_alike_in_any_case():
    (tag,) = read(choices(Term("1ST"), Term("TWO"), Term("dritte")))

    assert [option.label for option in tag.options] == ["1st", "two", "3rd"]


def test_crossed_aliases_are_paired_by_what_annotators_read():
    (tag,) = read(choices(Term("1st", "2nd"), Term("2nd", "1st")), labels=(Term("1st"), Term("2nd")))

    assert [option.label for option in tag.options] == ["1st", "2nd"]


@pytest.mark.parametrize(
    "words", [("First", "Second", "no such thing"), ("1", "2", "3"), ("A", "B")], ids=lambda words: words[0]
)
def test_choices_that_seem_to_take_masks_and_share_no_names_with_the_labels_are_refused(words):
    with pytest.raises(
        LabelConfigError, match="seems to select masks, but its choices .* fewer than two names"
    ):
        read(choices(*(Term(word) for word in words)), labels=(Term("1st"), Term("2nd")))


def test_labels_that_are_written_alike_are_refused_where_they_are_ranks():
    with pytest.raises(LabelConfigError, match="answers write two labels of the masks in the same way"):
        read(choices(Term("1st"), Term("2nd")), labels=(Term("1st", "m"), Term("2nd", "m")))


def test_the_choice_that_keeps_the_expression_is_found():
    assert meanings(Term("keep the expression for the next image", "k"), name="keep") == [ChoiceMeaning.KEEP]


def test_choices_about_single_regions_say_nothing_about_the_answer():
    assert read(choices(Term("no such thing"), more='perRegion="true"')) == ()


def test_of_two_tags_that_name_the_labels_the_one_called_pick_takes_masks():
    ranks = (Term("1st"), Term("2nd"))

    best, worst = read(choices(*ranks), choices(*ranks, Term("no such thing"), name="worst"))

    assert (best.is_pick, worst.is_pick) == (True, False)
    with pytest.raises(LabelConfigError, match=r"2 <Choices> name the labels of the masks \('a', 'b'\)"):
        read(choices(*ranks, name="a"), choices(*ranks, name="b"))


def test_two_choices_that_answers_cannot_tell_apart_are_refused():
    with pytest.raises(LabelConfigError, match="answers write two choices of .* as '2nd'"):
        read(choices(Term("1st", "2nd"), Term("2nd")))

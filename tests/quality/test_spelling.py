from ris.quality.spelling import find_typos
from tests.builders.checked import checked_task


def find(*texts, images=None):
    tasks = [checked_task(n, text, image=images[n] if images else str(n)) for n, text in enumerate(texts)]
    return [
        (one.tasks[0].task.task_id, one.evidence["word"], one.evidence["correction"])
        for one in find_typos(tasks)
    ]


CLEAN = ["the yellow bottle on the left", "the small bottle", "the green umbrella behind the chair"]


def test_a_word_one_letter_away_from_a_known_one_is_a_typo():
    assert find(*CLEAN, "the yelow umbrela") == [(3, "yelow", "yellow"), (3, "umbrela", "umbrella")]


def test_the_correction_is_a_word_of_the_dataset_first():
    assert find(*CLEAN, "the bottlf") == [(3, "bottlf", "bottle")]


def test_known_words_names_and_short_words_are_none():
    assert find(*CLEAN, "the Zorblat bottle", "the tv", "people walking backwards") == []


def test_a_word_that_three_images_use_is_one_of_this_dataset():
    own = ["the botle"] * 3

    assert find(*CLEAN, *own, images="abcdef") == []
    assert [word for _, word, _ in find(*CLEAN, *own, images="abcddd")] == ["botle"] * 3


def test_another_language_has_no_typos():
    assert find("der rote Becher links oben", "die blaue Flasche hinter dem Stuhl", "das kleine Haus") == []
    assert find("左のカップ") == []
    assert find() == []

import random

from ris.tinyworld.writer import ExpressionWriter, ThingGroup, make_negation_templates
from tests.builders.synthetic_scenes import build_scene, build_thing

SCENE = build_scene(
    build_thing("dog", "red", 60, 60),
    build_thing("dog", "blue", 160, 60),
    build_thing("dog", "blue", 260, 60),
    build_thing("key", None, 60, 180),
)


def test_the_brackets_hold_the_subject_and_are_not_in_the_text():
    writer = ExpressionWriter(SCENE, random.Random(0))

    writer.add(0, "attribute", "colour", ["[red dog] on grass"], (3,))

    (expression,) = writer.list_shuffled()
    assert (expression.text, expression.subject) == ("red dog on grass", "red dog")
    assert (expression.referent, expression.rule, expression.landmarks) == (0, "colour", (3,))


def test_an_article_in_parentheses_may_be_left_out():
    texts = set()
    for seed in range(20):
        writer = ExpressionWriter(SCENE, random.Random(seed))
        writer.add(3, "category", "noun", ["[(the) key]"])
        texts |= {expression.text for expression in writer.list_shuffled()}

    assert texts == {"the key", "key"}


def test_of_two_expressions_with_one_text_the_first_is_kept():
    writer = ExpressionWriter(SCENE, random.Random(0))

    writer.add(3, "category", "noun", ["[key]"])
    writer.add(3, "attribute", "colour", ["[key]"])

    assert [expression.rule for expression in writer.list_shuffled()] == ["noun"]


def test_a_group_is_named_by_its_adjective_and_noun():
    writer = ExpressionWriter(SCENE, random.Random(0))

    assert writer.choose_name(ThingGroup("dog", "blue", (1, 2))) == "blue dog"
    assert writer.choose_name(ThingGroup("dog", "", (0, 1, 2))) == "dog"


def test_a_landmark_has_a_name_that_no_other_thing_has():
    writer = ExpressionWriter(SCENE, random.Random(0))

    names = [writer.find_landmark_name(i) for i in range(4)]

    assert names == ["red dog", None, None, "key"]


def test_every_template_of_a_negation_has_its_claim_after_the_subject():
    for template in make_negation_templates("dog", "near the car"):
        subject, claim = template.split("]")
        assert subject.endswith("dog") and claim.endswith("not near the car")

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ris.service.disagreements import find_disagreements, select_worst
from tests.builders.answers import answer_group, paint


def number_answers(group):
    answers = [replace(one, row_id=10 + i) for i, one in enumerate(group.answers)]
    return replace(group, answers=tuple(answers))


def find(*groups):
    return list(find_disagreements(number_answers(group) for group in groups))


def test_people_disagree_where_their_masks_overlap_by_less_than_half():
    (found,) = find(
        answer_group(paint(0, 4), paint(0, 5)),
        answer_group(paint(0, 4), paint(3, 7), task_id=2),
        answer_group(paint(0, 4), "skipped", task_id=3),
        answer_group(None, None, task_id=4),
    )

    assert found.task.task_id == 2
    assert found.distance == 1 - 1 / 7
    assert sorted(found.answers) == [(10,), (11,)]


def test_a_mask_and_no_referent_are_as_far_apart_as_can_be():
    (found,) = find(answer_group(paint(0, 4), None, None))

    assert found.distance == 2 / 3  # two of three pairs
    assert found.answers == ((10,),)


def test_equal_masks_are_one_and_the_most_frequent_comes_first():
    (found,) = find(answer_group(paint(0, 2), paint(5, 9), paint(5, 9), paint(0, 1)))

    assert found.answers[0] == (11, 12)
    assert sorted(found.answers[1:]) == [(10,), (13,)]


def test_neither_the_order_nor_the_digest_depends_on_who_answered():
    masks = [paint(0, 2), paint(5, 9), paint(3, 4)]
    (one,), (two,) = find(answer_group(*masks)), find(answer_group(*masks[::-1]))

    assert one.digest == two.digest
    assert one.digest != find(answer_group(*masks[:2]))[0].digest
    assert [masks[rows[0] - 10].tolist() for rows in one.answers] == [
        masks[::-1][rows[0] - 10].tolist() for rows in two.answers
    ]


@given(st.lists(st.integers(1, 9), max_size=8), st.integers(1, 9))
def test_the_worst_come_first_and_no_more_than_wanted(ends, most):
    groups = [
        answer_group(paint(0, end), paint(end - 1, 10), task_id=number) for number, end in enumerate(ends)
    ]
    found = find(*groups)

    worst = select_worst(found, most)

    assert worst == sorted(found, key=lambda one: (-one.distance, one.task.task_id))[:most]

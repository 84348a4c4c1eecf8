from ris.batch.plan import MOST_TASKS, groups_of
from tests.batch.fakes import tasks


def test_tasks_of_one_image_go_together_in_the_order_of_their_images():
    first, second, third = tasks("a", "b", "a")

    assert [(g.image_url, g.tasks) for g in groups_of([first, second, third])] == [
        ("a", (first, third)), ("b", (second,)),
    ]  # fmt: skip


def test_very_many_expressions_of_one_image_are_several_pieces():
    found = groups_of(tasks(*["a"] * (MOST_TASKS + 1)))

    assert [len(group.tasks) for group in found] == [MOST_TASKS, 1]

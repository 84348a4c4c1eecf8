from ris.batch.plan import MAX_TASKS_PER_GROUP, group_tasks
from tests.batch.fakes import tasks


def test_tasks_of_one_image_go_together_in_the_order_of_their_images():
    first, second, third = tasks("a", "b", "a")

    assert [(g.image_url, g.tasks) for g in group_tasks([first, second, third])] == [
        ("a", (first, third)), ("b", (second,)),
    ]  # fmt: skip


def test_very_many_expressions_of_one_image_are_several_pieces():
    found = group_tasks(tasks(*["a"] * (MAX_TASKS_PER_GROUP + 1)))

    assert [len(group.tasks) for group in found] == [MAX_TASKS_PER_GROUP, 1]

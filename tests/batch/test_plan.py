from dataclasses import replace

from ris.batch.plan import MAX_TASKS_PER_GROUP, group_tasks, make_blocks
from tests.batch.fakes import tasks


def test_tasks_of_one_image_that_follow_one_another_go_together():
    first, second, third = tasks("a", "a", "b")

    assert [(g.image_url, g.tasks) for g in group_tasks([first, second, third])] == [
        ("a", (first, second)), ("b", (third,)),
    ]  # fmt: skip


def test_very_many_expressions_of_one_image_are_several_groups():
    found = list(group_tasks(tasks(*["a"] * (MAX_TASKS_PER_GROUP + 1))))

    assert [len(group.tasks) for group in found] == [MAX_TASKS_PER_GROUP, 1]


def test_a_block_has_some_groups_and_is_read_when_it_is_taken():
    taken = []

    def take_groups():
        for group in group_tasks(tasks("a", "b", "c")):
            taken.append(group.image_url)
            yield group

    blocks = make_blocks(take_groups(), "v", n_images=2)

    assert [group.image_url for group in next(blocks).groups] == taken == ["a", "b"]
    assert [len(block.groups) for block in blocks] == [1]


def test_the_name_of_a_block_changes_with_everything_that_its_results_depend_on():
    asked = tasks("a", "b")
    changed = [
        [asked[0]],
        [replace(asked[0], task_id=9), asked[1]],
        [replace(asked[0], project="2.1"), asked[1]],
        [replace(asked[0], expression="x"), asked[1]],
        [replace(asked[0], image_url="x"), asked[1]],
    ]

    names = [next(make_blocks(group_tasks(each), "v", n_images=5)).name for each in [asked, asked, *changed]]
    other_version = next(make_blocks(group_tasks(asked), "w", n_images=5)).name

    assert names[0] == names[1]
    assert len({*names, other_version}) == len(changed) + 2

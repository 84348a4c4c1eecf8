"""Listings against a fake that filters, orders and pages as Label Studio does, while tasks change."""

from datetime import UTC, datetime, timedelta

import pytest

from ris.errors import LabelStudioError
from ris.labelstudio.api.changes import (
    fetch_answered_tasks,
    fetch_changed_tasks,
    find_newest_change,
    read_recent_tasks,
)
from tests.builders.task_lists import list_tasks

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds):
    return f"{START + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S.%fZ}"


class Tasks:
    """Tasks 1 to `n_tasks`, changed one a second; `meanwhile` is called after each listing."""

    def __init__(self, n_tasks, meanwhile=lambda tasks: None):
        self.meanwhile, self.n_calls = meanwhile, 0
        self.tasks = {
            n: {"id": n, "updated_at": at(n), "updated_by": 1, "annotations": [{"id": n}]}
            for n in range(1, n_tasks + 1)
        }

    def call(self, method, path, body=None, **params):
        assert (method, path, params["review"]) == ("GET", "/api/tasks", "true")
        self.n_calls += 1
        answer = list_tasks(self.tasks.values(), params)
        self.meanwhile(self.tasks)
        return answer


def numbers(pages):
    return [task["id"] for page in pages for task in page]


def test_answered_tasks_come_once_each_in_the_order_of_their_ids():
    api = Tasks(250)
    api.tasks[7]["annotations"] = []
    api.tasks[8]["annotations"] = [{"id": 8, "was_cancelled": True}]

    assert numbers(fetch_answered_tasks(api, 1)) == [n for n in range(1, 251) if n != 7]
    assert api.n_calls == 3


def test_a_task_that_is_deleted_meanwhile_hides_no_other():
    api = Tasks(250, lambda tasks: tasks.pop(min(tasks)))

    assert numbers(fetch_answered_tasks(api, 1)) == list(range(1, 251))


def test_a_task_that_changes_meanwhile_hides_no_other_and_comes_again():
    def change_first(tasks):
        tasks[1] |= {"updated_at": at(1000)}

    found = numbers(fetch_changed_tasks(Tasks(250, change_first), 1, START))

    assert set(found) == set(range(1, 251))
    assert found[-1] == 1


def test_changed_tasks_are_those_since_a_time_with_the_microsecond():
    api = Tasks(30)
    since = START + timedelta(seconds=10, microseconds=1)

    assert numbers(fetch_changed_tasks(api, 1, since)) == list(range(11, 31))
    assert numbers(fetch_changed_tasks(api, 1, since - timedelta(microseconds=1))) == list(range(10, 31))


def test_more_tasks_than_a_page_that_were_changed_at_once_are_all_listed():
    api = Tasks(450)
    for number in range(100, 400):
        api.tasks[number]["updated_at"] = at(100)

    assert sorted(set(numbers(fetch_changed_tasks(api, 1, START)))) == list(range(1, 451))


def test_imported_tasks_are_not_changes_and_a_deleted_only_annotation_is_one():
    api = Tasks(3)
    api.tasks[1] |= {"annotations": [], "updated_by": None}
    api.tasks[2] |= {"annotations": []}

    assert numbers(fetch_changed_tasks(api, 1, START)) == [2, 3]


def test_the_newest_change_is_label_studios_time():
    assert find_newest_change(Tasks(250), 1, None) == START + timedelta(seconds=250)
    assert find_newest_change(Tasks(0), 1, None) is None


def test_the_newest_change_until_a_time_leaves_out_later_ones():
    assert find_newest_change(Tasks(250), 1, START + timedelta(seconds=9.5)) == START + timedelta(seconds=9)
    assert find_newest_change(Tasks(250), 1, START) is None


@pytest.mark.parametrize("n_tasks", [5, 250])
def test_the_digest_of_recent_tasks_differs_when_one_of_them_changed(n_tasks):
    api = Tasks(n_tasks)
    before = read_recent_tasks(api, 1, START)
    assert read_recent_tasks(api, 1, START) == before
    api.tasks[n_tasks // 2]["updated_at"] = at(1000)

    after = read_recent_tasks(api, 1, START)

    assert before.newest == START + timedelta(seconds=n_tasks)
    assert after.newest == START + timedelta(seconds=1000)
    assert after.digest != before.digest


def test_a_task_that_leaves_the_recent_ones_changes_their_digest():
    api = Tasks(250)
    before = read_recent_tasks(api, 1, START)
    del api.tasks[120]

    assert read_recent_tasks(api, 1, START).digest != before.digest


@pytest.mark.parametrize("odd", [{"id": 1}, {"updated_at": at(1)}, None, {"id": 1, "updated_at": "soon"}])
def test_a_changed_task_without_a_number_or_a_time_is_one_sentence(odd):
    api = Tasks(1)
    api.call = lambda *args, **params: {"tasks": [odd], "total": 1}

    with pytest.raises(LabelStudioError, match="without an id|is no time"):
        list(fetch_changed_tasks(api, 1, START))


def test_pages_of_a_few_tasks_that_are_not_the_last_are_refused():
    api = Tasks(1)
    api.call = lambda *args, **params: {"tasks": list(api.tasks.values()), "total": 1000}

    with pytest.raises(LabelStudioError, match="TASK_API_PAGE_SIZE_MAX"):
        list(fetch_answered_tasks(api, 1))
    with pytest.raises(LabelStudioError, match="TASK_API_PAGE_SIZE_MAX"):
        list(fetch_changed_tasks(api, 1, START))

import pytest

from ris.errors import LabelStudioError, LabelStudioMissing
from ris.labelstudio.api.listing import TASKS_PER_PAGE, fetch_tasks


class Pages:
    """Lists pages of ids, with a total for each; a page past the end is not there."""

    def __init__(self, *pages):
        self.pages, self.asked = pages, 0

    def call(self, method, path, body=None, **params):
        assert (method, path, params["page_size"]) == ("GET", "/api/tasks", TASKS_PER_PAGE)
        self.asked += 1
        if params["page"] > len(self.pages):
            raise LabelStudioMissing("Label Studio answered 404 to GET /api/tasks: Invalid page.")
        ids, total = self.pages[params["page"] - 1]
        return {"tasks": [{"id": number} for number in ids], "total": total}


def list_ids(*pages):
    return [task["id"] for task in fetch_tasks(Pages(*pages), 3)]


def test_every_task_is_listed_once():
    assert list_ids(([], 0)) == []
    assert list_ids(([5, 4], 2)) == [5, 4]
    assert list_ids((range(100), 150), (range(90, 150), 150)) == list(range(150))


def test_tasks_that_are_added_or_deleted_meanwhile_end_the_listing_no_later():
    grows = Pages((range(100), 200), (range(100, 200), 10_000), (range(200, 300), 10_000))
    assert len(list(fetch_tasks(grows, 3))) == 200
    assert grows.asked == 2
    assert len(list_ids((range(100), 150), (range(100, 110), 110))) == 110


@pytest.mark.parametrize(
    ("pages", "message"),
    [
        ([(range(100), 300), (range(100), 300)], "page 2 .* lists them in a circle"),
        ([(range(100), 300), ([], 300)], "page 2 .* has 0 of 100 tasks and is not the last"),
        ([([1], 300)], "page 1 .* has 1 of 100 tasks and is not the last"),
        ([(range(100), 5)], "lists 100 tasks of project 3 and says that it has 5"),
        ([(range(100), 101)], "page 2 of the tasks of project 3 is not there"),
        ([(range(5), -1)], "cannot be read .Expected int >= 0 - at"),
        ([(range(5), True)], "cannot be read .Expected int, got bool - at"),
        ([(range(5), 10**8)], "cannot be read .Expected int <= 10000000 - at"),
    ],
)
def test_a_listing_that_leads_nowhere_is_one_sentence(pages, message):
    with pytest.raises(LabelStudioError, match=message):
        list_ids(*pages)


@pytest.mark.parametrize("odd", ["7", 7.0, -1, 2**31, True, None, [], {}])
def test_a_task_without_an_id_is_told_after_the_others_were_listed(odd):
    listed = fetch_tasks(Pages(([1, odd, 2], 3)), 3)

    assert [next(listed)["id"], next(listed)["id"]] == [1, 2]
    with pytest.raises(
        LabelStudioError, match="1 of the 3 tasks that Label Studio lists for project 3 have no"
    ):
        next(listed)

import json

import pytest

from ris.errors import LabelStudioError
from ris.labelstudio.api.task_import import TASKS_PER_IMPORT, create_tasks, push_tasks

TASK = {"data": {"image": "/a.png", "expression": "the cup"}}


class Studio:
    """Takes imports, and names the tasks that it made unless it is an old one."""

    def __init__(self, ids=None):
        self.bodies, self.ids = [], ids

    def call(self, method, path, body=None, **params):
        assert (method, path) == ("POST", "/api/projects/3/import")
        self.bodies.append(json.loads(json.dumps(body)))
        return {"task_count": len(body), **({"task_ids": self.ids} if params else {})}


def test_tasks_go_some_hundred_at_a_time():
    studio, told = Studio(), []
    tasks = [TASK] * (TASKS_PER_IMPORT + 5)

    assert push_tasks(studio, 3, tasks, told.append) == len(tasks)
    assert told == [len(body) for body in studio.bodies] == [TASKS_PER_IMPORT, 5]


def test_the_numbers_of_the_tasks_come_in_their_order():
    assert create_tasks(Studio([8, 9]), 3, [TASK] * 2) == [8, 9]


@pytest.mark.parametrize("ids", [None, [], [8]])
def test_tasks_that_are_not_named_are_one_sentence(ids):
    with pytest.raises(LabelStudioError, match=r"named [01] tasks after the import of 2 tasks"):
        create_tasks(Studio(ids), 3, [TASK] * 2)

import logging

from backend.core.types import Task
from backend.errors import LabelStudioError
from backend.labelstudio.control import read_controls
from backend.labelstudio.pushing import Pushing
from backend.labelstudio.region import offered
from label_config import read
from tests.labelstudio.test_region import OFFERS

CONTROLS = read_controls(read("tabs_brush.xml"))
TASKS = [Task(number, "1.1", "/a", "mug") for number in (7, 8)]


class Studio:
    """Keeps predictions by task, as Label Studio does."""

    def __init__(self):
        self.predictions, self.refuses, self.calls = [], False, 0

    def call(self, method, path, body=None, **params):
        if self.refuses:
            raise LabelStudioError(f"Label Studio answered 403 to {method} {path}")
        if method == "GET":
            assert path == "/api/predictions"
            return [p for p in self.predictions if p["task"] == params["task"]]
        assert path == "/api/projects/1/import/predictions"
        self.predictions += body
        self.calls += 1
        return {"created": len(body)}


def offers(task, version="v1"):
    return offered(task, version, [o.suggestion for o in OFFERS], shuffled_share=0)


def test_alternatives_are_stored_worst_first_as_label_studio_stores_them_itself():
    studio = Studio()

    assert Pushing(studio).push(TASKS[0], offers(TASKS[0]), CONTROLS, "v1")

    assert [p["result"][0]["meta"]["rank"] for p in studio.predictions] == [2, 1, 0]
    assert {(p["task"], p["model_version"]) for p in studio.predictions} == {(7, "v1")}


def test_many_tasks_go_in_one_call_and_what_is_there_is_not_stored_again():
    studio = Studio()
    pushing = Pushing(studio)

    assert pushing.push_all(1, [(t, offers(t)) for t in TASKS], CONTROLS, "v1") == 6
    assert studio.calls == 1
    assert pushing.push_all(1, [(t, offers(t)) for t in TASKS], CONTROLS, "v1") == 0
    assert pushing.push_all(1, [(TASKS[0], offers(TASKS[0], "v2"))], CONTROLS, "v2") == 3


def test_what_was_stored_in_part_is_completed():
    studio = Studio()
    pushing = Pushing(studio)
    pushing.push_all(1, [(TASKS[0], offers(TASKS[0]))], CONTROLS, "v1")
    lost = studio.predictions.pop()

    assert pushing.push_all(1, [(TASKS[0], offers(TASKS[0]))], CONTROLS, "v1") == 1
    assert studio.predictions[-1] == lost


def test_a_refusal_of_a_late_task_is_logged_and_fails_nobody(caplog):
    studio = Studio()
    studio.refuses = True
    caplog.set_level(logging.WARNING)

    assert not Pushing(studio).push(TASKS[0], offers(TASKS[0]), CONTROLS, "v1")
    assert "task 7 of project 1.1 could not be brought: Label Studio answered 403" in caplog.text

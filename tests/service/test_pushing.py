import logging

from backend.core.types import Task
from backend.errors import LabelStudioError
from backend.labelstudio.control import read_controls
from backend.service import Pushing
from label_config import read
from tests.labelstudio.test_region import OFFERS

CONTROLS = read_controls(read("tabs_brush.xml"))
TASK = Task(7, "1.1", "/a", "mug")


class Studio:
    """Keeps predictions by task, as Label Studio does."""

    def __init__(self):
        self.predictions, self.refuses = [], False

    def call(self, method, path, body=None, **params):
        assert path == "/api/predictions"
        if self.refuses:
            raise LabelStudioError("Label Studio answered 403 to POST /api/predictions")
        if method == "POST":
            self.predictions.append(body)
            return body
        return [p for p in self.predictions if p["task"] == params["task"]]


def test_alternatives_are_stored_worst_first_as_label_studio_stores_them_itself():
    studio = Studio()

    assert Pushing(studio).push(TASK, OFFERS, CONTROLS, "v1")

    assert [p["result"][0]["meta"]["rank"] for p in studio.predictions] == [2, 1, 0]
    assert {(p["task"], p["model_version"]) for p in studio.predictions} == {(7, "v1")}


def test_what_is_there_already_is_not_stored_again():
    studio = Studio()
    pushing = Pushing(studio)

    assert [pushing.push(TASK, OFFERS, CONTROLS, version) for version in ("v1", "v1", "v2")] == [
        True, False, True,
    ]  # fmt: skip
    assert len(studio.predictions) == 6


def test_a_refusal_is_logged_and_fails_nobody(caplog):
    studio = Studio()
    studio.refuses = True
    caplog.set_level(logging.WARNING)

    assert not Pushing(studio).push(TASK, OFFERS, CONTROLS, "v1")
    assert "task 7 of project 1.1 could not be brought: Label Studio answered 403" in caplog.text

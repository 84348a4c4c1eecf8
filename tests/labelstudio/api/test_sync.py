import pytest

from ris.errors import EventError, LabelStudioError
from ris.labelstudio.api.sync import fetch_annotation_states, is_gone, read_project
from tests.builders.task_lists import list_tasks

PROJECT = {"id": 3, "created_at": "2023-11-14T22:13:20.5Z", "label_config": "<View/>", "token": "secret"}


class Api:
    """Answers by path; `listed` holds the tasks, or an answer that is no list of them."""

    def __init__(self, listed=(), project=PROJECT, n_in_label_studio=()):
        self.listed, self.project, self.n_in_label_studio, self.asked = listed, project, n_in_label_studio, []

    def call(self, method, path, body=None, **params):
        self.asked.append((method, path, params))
        if path == "/api/projects/3":
            return self.project
        return self.listed if isinstance(self.listed, dict) else list_tasks(self.listed, params)

    def exists(self, path):
        return path in self.n_in_label_studio


def annotation(number, updated_at="2026-01-01T00:00:00.123456Z"):
    return {"id": number, "updated_at": updated_at, "result": []}


def test_a_project_has_the_key_that_its_webhooks_have():
    project = read_project(Api(), 3)

    assert project.key == "3.1700000000"
    assert "token" not in project.body


def test_a_project_that_does_not_say_when_it_was_made_is_refused():
    with pytest.raises(EventError, match="created_at is no time"):
        read_project(Api(project={"id": 3}), 3)


def test_annotations_come_page_by_page_as_events():
    tasks = [{"id": n, "data": {"x": n}, "annotations": [annotation(n)]} for n in range(1, 102)]
    tasks[7]["annotations"].append(annotation(200))
    api = Api(tasks)

    found = list(fetch_annotation_states(api, read_project(api, 3)))

    assert [a.annotation_id for a in found] == [*range(1, 9), 200, *range(9, 102)]
    assert found[8].updated_at.microsecond == 123456
    assert found[8].event["action"] == "ANNOTATION_UPDATED"
    assert found[8].event["task"] == {"id": 8, "data": {"x": 8}}
    assert found[8].event["project"]["label_config"] == "<View/>"
    assert [path for _, path, _ in api.asked].count("/api/tasks") == 2


def test_a_listing_that_is_none_is_told():
    api = Api({"detail": "no"})

    with pytest.raises(
        LabelStudioError,
        match="page 1 of the tasks of project 3 cannot be read .Object missing required field",
    ):
        list(fetch_annotation_states(api, read_project(api, 3)))


def test_an_annotation_is_gone_when_label_studio_has_none_of_that_number():
    api = Api(n_in_label_studio=("/api/annotations/1/",))

    assert not is_gone(api, 1)
    assert is_gone(api, 2)


def test_an_answer_that_was_in_an_imported_file_is_nobodys_decision_until_somebody_saves_it():
    before = annotation(1) | {"import_id": 88, "updated_by": None}
    saved = annotation(2) | {"import_id": 88, "updated_by": 5}
    accepted = annotation(3) | {"import_id": None, "updated_by": None, "parent_prediction": 4}
    api = Api([{"id": 8, "data": {}, "annotations": [before, saved, accepted]}])

    assert [a.annotation_id for a in fetch_annotation_states(api, read_project(api, 3))] == [2, 3]

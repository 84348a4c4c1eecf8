import pytest

from ris.errors import EventError, LabelStudioError
from ris.labelstudio.api.sync import fetch_annotation_states, is_gone, read_project

PROJECT = {"id": 3, "created_at": "2023-11-14T22:13:20.5Z", "label_config": "<View/>", "token": "secret"}


class Api:
    """Answers by path; `listed` holds the pages of /api/tasks."""

    def __init__(self, *listed, project=PROJECT, n_in_label_studio=()):
        self.listed, self.project, self.n_in_label_studio, self.asked = listed, project, n_in_label_studio, []

    def call(self, method, path, body=None, **params):
        self.asked.append((method, path, params))
        return self.project if path == "/api/projects/3" else self.listed[params["page"] - 1]

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
    full = {"id": 8, "data": {"x": 1}, "annotations": [annotation(1), annotation(2)]}
    others = [{"id": number, "data": {}, "annotations": []} for number in range(10, 109)]
    first = {"total": 101, "tasks": [full, *others]}
    second = {"total": 101, "tasks": [{"id": 9, "data": {}, "annotations": []}]}
    api = Api(first, second)

    found = list(fetch_annotation_states(api, read_project(api, 3)))

    assert [a.annotation_id for a in found] == [1, 2]
    assert found[0].updated_at.microsecond == 123456
    assert found[0].event["action"] == "ANNOTATION_UPDATED"
    assert found[0].event["task"] == {"id": 8, "data": {"x": 1}}
    assert found[0].event["project"]["label_config"] == "<View/>"
    pages = [params["page"] for _, path, params in api.asked if path == "/api/tasks"]
    assert pages == [1, 2]


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
    api = Api({"total": 1, "tasks": [{"id": 8, "data": {}, "annotations": [before, saved, accepted]}]})

    assert [a.annotation_id for a in fetch_annotation_states(api, read_project(api, 3))] == [2, 3]

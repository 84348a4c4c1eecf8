import pytest

from ris.errors import LabelStudioDenied, LabelStudioError
from ris.labelstudio.api.sync import ProjectState
from ris.service.naming import save_names
from ris.store.names import NamedProject, find_annotator_names, find_project_names
from tests.builders.records import NOW

PROJECT = ProjectState("1.5", {"id": 1}, "Kitchen \x00", 10, 3)


class Studio:
    """Answers with its users, or raises."""

    def __init__(self, users):
        self.users = users

    def call(self, method, path, body=None, **params):
        assert (method, path) == ("GET", "/api/users")
        if isinstance(self.users, Exception):
            raise self.users
        return self.users


def read_names(database):
    with database.begin() as session:
        return find_project_names(session), find_annotator_names(session)


def test_projects_and_annotators_are_named_as_in_label_studio(database):
    users = [
        {"id": 3, "first_name": "Ada", "last_name": "L.", "username": "ada", "email": "ada@studio.example"},
        {"id": 4, "first_name": "", "last_name": None, "username": "grace"},
        {"id": 5},
    ]

    save_names(database, Studio(users), PROJECT, now=NOW)

    assert read_names(database) == (
        {"1.5": NamedProject("Kitchen ", 10, 3, NOW)}, {3: "Ada L.", 4: "grace"},
    )  # fmt: skip


def test_a_key_that_may_not_list_users_leaves_their_numbers(database, caplog):
    with caplog.at_level("INFO"):
        save_names(database, Studio(LabelStudioDenied("403 to GET /api/users")), PROJECT, now=NOW)

    assert read_names(database)[1] == {}
    assert "the page shows their numbers: 403 to GET /api/users" in caplog.text


def test_an_answer_that_is_no_list_of_users_is_a_sentence(database):
    with pytest.raises(LabelStudioError, match="the users"):
        save_names(database, Studio({"detail": "odd"}), PROJECT, now=NOW)

"""`ris import` against a Label Studio that keeps what it is given."""

import json
import re

import pytest
from PIL import Image as Pillow
from typer.testing import CliRunner

from ris import assembly, label_config
from ris.cli import root_app
from ris.errors import LabelStudioError


class Studio:
    """One project with a label config; `fails_after` counts the imports of tasks that it takes."""

    def __init__(self, fails_after=99):
        self.tasks, self.files, self.fails_after = [], {}, fails_after
        self.config, self.requests = label_config.read("pick_brush.xml"), 0

    def call(self, method, path, body=None, **params):
        self.requests += 1
        if (method, path) == ("POST", "/api/projects"):
            return {"id": 3}
        if (method, path) == ("GET", "/api/tasks"):
            page = self.tasks[(params["page"] - 1) * 100 :][:100]
            return {"tasks": page, "total": len(self.tasks)}
        if path.endswith("/import"):
            if self.fails_after == 0:
                raise LabelStudioError("no disk left")
            self.fails_after -= 1
            first = len(self.tasks)
            self.tasks += [{"id": first + i, **task} for i, task in enumerate(body)]
            return {"task_count": len(body)}
        return {"id": 3, "label_config": self.config}

    def upload(self, project, name, data):
        kept = re.sub(r"[^-.\w]", "", name)
        reference = f"/data/upload/{project}/{len(self.files):08x}-{kept}"
        self.files[reference] = data
        return reference

    def remove_uploads(self, project, references):
        for reference in references:
            del self.files[reference]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pics").mkdir()
    for number, name in enumerate(("a b.png", "ab.png", "c.tif")):
        Pillow.new("RGB", (8 + number, 6)).save(tmp_path / "pics" / name)
    (tmp_path / "pics" / "page.png").write_text("<html>log in")
    mask = {"size": [6, 8], "counts": [0, 6, 42]}
    rows = [
        {"image": "in\\a b.png", "expression": "x", "mask": mask},
        {"image": "ab.png", "expression": "x", "mask": mask},
        {"image": "c.tif", "expression": "x"},
        {"image": "page.png", "expression": "x"},
        {"image": "gone.png", "expression": "x"},
        {"image": "ab.png", "expression": ""},
    ]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def imported(studio, monkeypatch, *arguments):
    monkeypatch.setattr(assembly, "make_label_studio_client", lambda settings: studio)
    return CliRunner().invoke(root_app, ["import", "t.jsonl", "--images", "pics", *arguments])


@pytest.mark.parametrize("where", [("--project", "3"), ("--create", "new")])
def test_what_can_be_used_is_imported_and_the_rest_is_told(folder, monkeypatch, where):
    studio = Studio()

    ran = imported(studio, monkeypatch, *where)

    assert ran.exit_code == 0, ran.output
    assert [line for line in ran.output.splitlines() if line.strip()] == [
        "imported 3 of 6 expressions as tasks into project 3; next: `ris connect --project 3`",
        "left out: 1 (t.jsonl, row 6): its expression is empty",
        "left out: 1 ('gone.png'): its image is not in pics",
        "left out: 1 ('page.png'): its image cannot be used: its 12 bytes are no picture but an HTML page, "
        "such as a login page or an error page; JPEG, PNG, WEBP, BMP, TIFF, GIF, AVIF can be read",
        "without its mask: 1 ('x' of 'ab.png'): its mask is of another size than its image",
    ]
    assert [bool(task.get("annotations")) for task in studio.tasks] == [True, False, False]
    assert list(studio.files) == [task["data"]["image"] for task in studio.tasks]
    assert [data[:4] for data in studio.files.values()] == [b"\x89PNG"] * 3


def test_twice_is_once(folder, monkeypatch):
    studio = Studio()
    imported(studio, monkeypatch, "--project", "3")
    studio.requests = 0

    ran = imported(studio, monkeypatch, "--project", "3")

    assert (
        "0 of 6 expressions were imported into project 3; 3 were there already and are not changed"
        in ran.output
    )
    assert (len(studio.tasks), len(studio.files)) == (3, 3)
    assert studio.requests == 2  # the project, and one page of its tasks


def test_another_expression_of_a_picture_that_is_there_uploads_nothing(folder, monkeypatch):
    studio = Studio()
    imported(studio, monkeypatch, "--project", "3")
    (folder / "t.jsonl").write_text('{"image": "ab.png", "expression": "y"}\n')

    ran = imported(studio, monkeypatch, "--project", "3")

    assert "imported 1 of 1 expressions as tasks into project 3" in ran.output
    assert len(studio.files) == 3
    assert studio.tasks[-1]["data"]["image"] == studio.tasks[1]["data"]["image"]


def test_an_import_that_fails_leaves_no_picture_that_no_task_shows(folder, monkeypatch):
    studio = Studio(fails_after=0)

    ran = imported(studio, monkeypatch, "--project", "3")

    assert isinstance(ran.exception, LabelStudioError)
    assert (studio.files, studio.tasks) == ({}, [])

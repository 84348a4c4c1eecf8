"""`ris adjudicate` over a fake Label Studio: what it makes, prints and refuses."""

import json

import pytest
from typer.testing import CliRunner

from ris import assembly
from ris.cli import root_app
from ris.core.rle import decode_rle, from_string
from ris.core.types import Task
from tests.builders.adjudicated_studio import AdjudicatedStudio
from tests.builders.answers import paint
from tests.builders.disputes import disagree, record_answer
from tests.builders.records import TASK

CREATED = 1767225600
LEFT, RIGHT, BOTH = (paint(*span, (9, 14)) for span in ((0, 5), (7, 12), (0, 12)))


@pytest.fixture
def studio(monkeypatch):
    studio = AdjudicatedStudio()
    monkeypatch.setattr(assembly, "make_label_studio_client", lambda *_, **__: studio)
    return studio


@pytest.fixture
def ris(tmp_path, monkeypatch, database, studio):
    monkeypatch.setenv("RIS_DATABASE_URL", f"sqlite:///{tmp_path / 'ris.db'}")
    monkeypatch.setenv("RIS_LABEL_STUDIO_API_KEY", "key")
    monkeypatch.setenv("RIS_PUBLIC_URL", "http://192.168.1.5:9090")
    return lambda *more: CliRunner().invoke(
        root_app, ["adjudicate", "--project", TASK.project, "--into", "settled", *more]
    )


def read_counts(ran):
    assert ran.exit_code == 0, ran.output
    return {row["tasks"]: row["count"] for row in json.loads(ran.stdout)["adjudication"]}


def test_a_project_is_made_with_a_webhook_and_filled_once(database, studio, ris):
    disagree(database, 1, LEFT, RIGHT)
    disagree(database, 2, LEFT, LEFT)

    first, second = (read_counts(ris("--json")) for _ in range(2))

    assert first == {
        "people disagree": 1, "added now": 1, "alternatives written again": 0, "waiting": 0, "settled": 0,
    }  # fmt: skip
    assert second == {**first, "added now": 0, "waiting": 1}
    assert [project["title"] for project in studio.projects.values()] == ["settled"]
    assert [hook["url"] for hook in studio.hooks] == ["http://192.168.1.5:9090/webhook"]


def test_what_was_left_out_is_said(database, ris):
    disagree(database, 1, LEFT, RIGHT)
    disagree(database, 2, LEFT, BOTH)

    assert "1 more are not added, because --most is 1" in ris("--most", "1").stdout


def test_without_a_key_it_says_so(monkeypatch, database, ris):
    monkeypatch.delenv("RIS_LABEL_STUDIO_API_KEY")
    disagree(database, 1, LEFT, RIGHT)

    assert "RIS_LABEL_STUDIO_API_KEY is not set" in str(ris().exception)


def test_what_was_settled_is_written_with_whose_answer_it_took(database, studio, ris, tmp_path):
    disagree(database, 1, LEFT, RIGHT)
    ris()
    ((number, body),) = studio.tasks.items()
    task = Task(number, f"5.{CREATED}", body["data"]["image"], body["data"]["expression"])
    record_answer(database, task, 9, RIGHT)

    ran = ris("--outcomes", str(tmp_path / "new" / "outcomes.jsonl"))

    assert ran.exit_code == 0, ran.output
    (line,) = map(json.loads, (tmp_path / "new" / "outcomes.jsonl").read_text().splitlines())
    assert (line["project"], line["task_id"], line["outcome"]["annotator"]) == (TASK.project, 1, 9)
    assert line["settled_in"] == {"project": task.project, "task_id": number}
    assert (
        decode_rle(from_string(line["mask"]["counts"], tuple(line["mask"]["size"]))).tolist()
        == RIGHT.tolist()
    )
    assert sorted(one["annotator"] for own in line["offered"] for one in own) == [1, 2]
    assert line["taken"] == []  # the verdict of this answer was made up: it is not "accepted"

"""Somebody settles in the real editor on what people disagree: one key, and Submit."""

import json

import pytest

from ris.core import rle
from ris.core.types import Verdict
from tests.browser.acts import SUBMIT, press, shown, stream
from tests.live.support.backend_server import BackendServer
from tests.live.support.people import BRUSH, add_person, answer, make_runner
from tests.live.support.project import Project
from tests.live.support.recorded import on_record

pytestmark = pytest.mark.browser


def test_one_key_takes_an_answer_and_the_outcome_is_on_record(editor, studio, client, samples, tmp_path):
    with BackendServer(tmp_path / "backend", studio.url) as server:
        project, (stored,) = Project.create(client, "disputed", BRUSH, [samples[0].png])
        project.connect(server.url)
        (task,) = project.import_tasks([{"image": stored, "expression": samples[0].expression}])
        other = samples[0].truth[::-1, ::-1].copy()
        made = [
            answer(project, task, samples[0].truth),
            answer(project, task, other, add_person(client, "browsing")),
        ]
        on_record(server, project, lambda found: set(made) <= set(found))
        run = make_runner(studio, server)
        fill = "adjudicate", "--project", str(project.project_id), "--into", "settled in the editor"
        run(*fill)
        (found,) = client.call("GET", "/api/projects", title="settled in the editor")["results"]
        settling = Project(client, found["id"])

        number, n_regions = stream(editor, studio, settling)
        assert n_regions == 2
        shown_words = editor.find_element("tag name", "body").text
        assert samples[0].expression in shown_words
        assert "browsing" not in shown_words
        press(editor, "s")
        shown(editor, SUBMIT).click()

        recorded = on_record(server, settling, lambda found: len(found) == 1)
        ((_, decision),) = recorded.items()
        assert decision.correction.annotation.task.task_id == number
        assert (decision.correction.verdict, decision.correction.rank) == (Verdict.ACCEPTED, 1)
        assert decision.correction.annotation.mask in (
            rle.encode_rle(samples[0].truth),
            rle.encode_rle(other),
        )
        counts = json.loads(
            run(
                "adjudicate",
                "--project",
                str(project.project_id),
                "--into",
                "settled in the editor",
                "--json",
            )
        )["adjudication"]
        assert {row["tasks"]: row["count"] for row in counts}["settled"] == 1

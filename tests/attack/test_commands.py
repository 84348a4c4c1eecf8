"""`ris learn` and `ris sync` again and again while webhooks arrive: each decision is recorded once."""

import itertools
import json
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime

import pytest

from ris.store.history import read_decisions
from ris.store.inbox import count_events
from ris.store.session import Database
from tests.attack.sending import send, wait_until
from tests.builders.events import box, event
from tests.builders.task_lists import list_tasks
from tests.labelstudio.small_studio import PROJECT, OddStudio
from tests.labelstudio.studio import LEGACY
from tests.live.support.backend_server import BackendServer

pytestmark = pytest.mark.attack
N_TURNS, N_SENDERS, PAUSE_S = 2, 4, 0.1


class Project:
    """Label Studio's side: it has each annotation before its webhook is sent."""

    def __init__(self):
        self.annotations = {}

    def make_event(self, number):
        made = event([box(20)], number=number)
        self.annotations[number] = made["annotation"] | {"created_at": made["annotation"]["updated_at"]}
        return made | {"project": PROJECT}

    def send(self, handler, call, params, sane):
        """Answer a call about the task or an annotation; leave the others."""
        if call == "GET /api/tasks":
            data = {"image": "squares", "expression": "the red"}
            found = {
                "id": 1, "project": 3, "data": data, "annotations": list(self.annotations.values()),
                "total_predictions": 0, "predictions": [], "drafts": [],
                "updated_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
            }  # fmt: skip
            handler.answer(200, json.dumps(list_tasks([found], {**params, "fields": "all"})))
            return True
        if call.startswith("GET /api/annotations/"):
            handler.answer(200, json.dumps({"id": int(call.strip("/").rpartition("/")[2])}))
            return True
        return False


def test_learning_and_syncing_under_load_record_each_decision_once(tmp_path):
    project, numbers, stop, answers = Project(), itertools.count(1), threading.Event(), []
    studio = OddStudio(project.send)
    with BackendServer(tmp_path, studio.url) as server:

        def load():
            while not stop.wait(PAUSE_S):
                answers.append(send(server.port, "POST", "/webhook", project.make_event(next(numbers)))[0])

        senders = [threading.Thread(target=load) for _ in range(N_SENDERS)]
        for sender in senders:
            sender.start()
        wait_until(lambda: len(answers) > 20)
        ran = [run_command(server, studio, *command) for _ in range(N_TURNS) for command in COMMANDS]
        stop.set()
        for sender in senders:
            sender.join()
        database = Database.open(server.database_url)
        wait_until(lambda: not count(database)["new"])
        ran.append(run_command(server, studio, *COMMANDS[0]))
        counts = count(database)
        with database.begin() as session:
            decided = [d.correction.annotation.annotation_id for d in read_decisions(session)]
        database.close()
    studio.shutdown()
    studio.server_close()

    assert [(one.returncode, one.stderr) for one in ran] == [(0, "")] * len(ran)
    assert set(answers) <= {200, 201, 503}
    assert sorted(decided) == sorted(project.annotations)
    assert (counts["new"], counts["failed"]) == (0, 0)
    assert "in step" in ran[-1].stdout


COMMANDS = (["sync", "--project", "3"], ["learn"])


def run_command(server, studio, *arguments):
    env = os.environ | {
        "RIS_DATABASE_URL": server.database_url,
        "RIS_LABEL_STUDIO_URL": studio.url,
        "RIS_LABEL_STUDIO_API_KEY": LEGACY,
        "COLUMNS": "200",
    }
    return subprocess.run(
        [sys.executable, "-m", "ris", *arguments],
        env=env, cwd=server.folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


def count(database):
    with database.begin() as session:
        return dict(count_events(session))

"""A network that does its worst and a server that is killed: after a sync both sides agree on everything."""

import os
import random
import signal
import subprocess
import sys
import threading
import time

import pytest

from ris import label_config
from ris.core.types import Verdict
from ris.labelstudio.config.control import read_controls
from ris.store.history import read_decisions
from ris.store.inbox import count_events
from ris.store.session import Database
from tests.live.faults import FAULTS, FaultyProxy
from tests.live.support.annotator import Action, Annotator
from tests.live.support.backend_server import BackendServer
from tests.live.support.project import Project
from tests.live.support.studio import DEMO_TOKEN

pytestmark = pytest.mark.live

BRUSH = label_config.read("tabs_brush.xml")
ROUNDS, KILLS = 7, 3


class Day(threading.Thread):
    """An annotator's day: answers are given, changed and deleted; `meant` is what must be on record."""

    def __init__(self, project, ids, samples, seed):
        super().__init__()
        self.project, self.ids, self.samples, self.rng = project, ids, samples, random.Random(seed)
        self.annotator = Annotator(project, read_controls(BRUSH), seed)
        self.offered = {i: project.predictions(i) for i in ids}
        self.meant = {}

    def run(self):
        for _ in range(ROUNDS):
            for task_id, sample in zip(self.ids, self.samples, strict=True):
                act = self._answer(task_id, sample)
                self.meant[act.annotation_id] = act
                if self.rng.random() < 0.5:
                    self._change()
                if self.rng.random() < 0.2:
                    self._delete()

    def _answer(self, task_id, sample):
        offered, rank = self.offered[task_id], self.rng.randrange(3)
        return self.rng.choice([
            lambda: self.annotator.accept(task_id, offered, rank),
            lambda: self.annotator.fix(task_id, offered, rank),
            lambda: self.annotator.redraw(task_id, offered, sample.truth),
            lambda: self.annotator.mark_no_referent(task_id, offered),
            lambda: self.annotator.skip(task_id, offered),
        ])()  # fmt: skip

    def _change(self):
        """Somebody changes an answer into the acceptance of another alternative."""
        number = self.rng.choice(sorted(self.meant))
        act, rank = self.meant[number], self.rng.randrange(3)
        body = {"result": self.offered[act.task_id][rank]["result"], "was_cancelled": False}
        self.project.client.call("PATCH", f"/api/annotations/{number}/", body)
        self.meant[number] = Action(act.task_id, number, Verdict.ACCEPTED, rank)

    def _delete(self):
        number = self.rng.choice(sorted(self.meant))
        self.project.client.call("DELETE", f"/api/annotations/{number}/")
        del self.meant[number]


def ris_sync(server, studio, project):
    """The command that a user would run."""
    env = os.environ | {
        "RIS_DATABASE_URL": server.database_url, "RIS_LABEL_STUDIO_URL": studio.url,
        "RIS_LABEL_STUDIO_API_KEY": DEMO_TOKEN,
    }  # fmt: skip
    ran = subprocess.run(
        [sys.executable, "-m", "ris", "sync", "--yes", "--project", str(project.project_id)],
        env=env, cwd=server.folder, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def on_record(server, project):
    database = Database.open(server.database_url)
    try:
        with database.begin() as session:
            found = {
                d.correction.annotation.annotation_id: (d.correction.verdict, d.correction.rank)
                for d in read_decisions(session, project=project.key)
            }
            return found, count_events(session)
    finally:
        database.close()


def test_whatever_the_network_does_and_however_often_the_server_dies_a_sync_makes_both_sides_agree(
    studio, client, samples, tmp_path, empty_url
):
    rng = random.Random(17)
    project, stored = Project.create(client, "faults", BRUSH, [s.png for s in samples])
    with (
        BackendServer(tmp_path, studio.url, database_url=empty_url) as server,
        FaultyProxy(server.url, seed=23) as proxy,
    ):
        ids = project.import_tasks(
            [{"image": ref, "expression": s.expression} for ref, s in zip(stored, samples, strict=True)]
        )
        project.connect(proxy.url)
        project.wait_for_predictions(ids)
        day = Day(project, ids, samples, seed=29)
        proxy.to_device = True
        day.start()
        for _ in range(KILLS):
            time.sleep(rng.uniform(1, 4))
            os.killpg(server._server._process.pid, signal.SIGKILL)
            server.stop()
            server.start()
        day.join()
        proxy.settle()

        told = ris_sync(server, studio, project)
        found, events = on_record(server, project)

    wanted = {number: (act.verdict, act.rank) for number, act in day.meant.items()}
    assert found == wanted
    assert len(wanted) > 20
    assert f"{len(wanted)}" in told
    assert events["failed"] == events["new"] == 0
    assert set(proxy.met) == set(FAULTS)

"""One set of predictions a task in a real Label Studio, never two, however slow and interrupted we are."""

import sys
import threading
import time
from collections import Counter

import pytest

from ris import label_config
from ris.labelstudio.api.client import LabelStudioClient
from ris.labelstudio.api.connecting import MLBackend, connect_project
from ris.labelstudio.api.duplicates import find_duplicated_tasks
from ris.labelstudio.api.pushing import get_first_region_id
from ris.store.deliveries import count_deliveries
from ris.store.session import Database, upgrade_database
from tests.live.support.process import ServerProcess, find_free_port
from tests.live.support.project import Project
from tests.live.support.studio import DEMO_TOKEN, REPOSITORY_ROOT

pytestmark = pytest.mark.live

TASKS, SEED = 200, 41
DEADLINE_S, MEAN_S = 5, 0.4  # four images at a time: about half of the tasks are late in every request


class SlowBackend:
    """`slow_backend` as a process that can be stopped without warning and started again."""

    def __init__(self, folder, studio):
        self.database_url, port = f"sqlite:///{folder / 'ris.db'}", find_free_port()
        upgrade_database(self.database_url)
        self.url = f"http://127.0.0.1:{port}"
        self.process = ServerProcess(
            "the slow backend", [sys.executable, "-m", "tests.live.slow_backend"], folder=REPOSITORY_ROOT,
            health_url=f"{self.url}/health", log=folder / "backend.log",
            env={
                "RIS_HOST": "127.0.0.1", "RIS_PORT": str(port), "RIS_DATABASE_URL": self.database_url,
                "RIS_LABEL_STUDIO_URL": studio.url, "RIS_LABEL_STUDIO_API_KEY": DEMO_TOKEN,
                "RIS_DEADLINE_S": str(DEADLINE_S), "SEED": str(SEED), "MEAN_S": str(MEAN_S),
            },
        )  # fmt: skip
        self.start()
        self.database = Database.open(self.database_url)

    def start(self):
        self.process.start(timeout_s=600)

    @property
    def owed(self):
        with self.database.begin() as session:
            return count_deliveries(session)


def until(holds):
    while not holds():
        time.sleep(0.5)


@pytest.fixture
def backend(tmp_path, studio):
    backend = SlowBackend(tmp_path, studio)
    yield backend
    backend.process.stop()
    backend.database.close()


@pytest.fixture
def patient(studio):
    return LabelStudioClient(studio.url, DEMO_TOKEN, timeout_s=1200)


def at_once(call, *given):
    thread = threading.Thread(target=call, args=given)
    thread.start()
    return thread


def stored(client, project):
    """By task, how often each of its predictions is there."""
    found = {}
    for one in client.call("GET", "/api/predictions", project=project.project_id):
        found.setdefault(one["task"], Counter())[get_first_region_id(one)] += 1
    return found


def test_every_task_has_its_predictions_once_whatever_the_order_and_speed(patient, backend):
    project, _ = Project.create(patient, "never twice", label_config.read("tabs_brush.xml"), [])
    ids = project.import_tasks([{"image": "squares", "expression": "the red"} for _ in range(TASKS)])
    connect_project(patient, project.project_id, MLBackend(backend.url))

    asking = [at_once(project.retrieve_predictions, ids)]
    until(lambda: backend.owed and stored(patient, project))
    asking.append(at_once(project.retrieve_predictions, ids))
    asking += [
        at_once(patient.call, "GET", f"/api/tasks/{i}") for i in (ids[-1], ids[-1], ids[-2], ids[3], ids[3])
    ]
    until(lambda: len(stored(patient, project)) > TASKS / 4)
    backend.process.stop()
    backend.start()
    asking.append(at_once(project.retrieve_predictions, ids))
    for thread in asking:
        thread.join()
    until(lambda: not backend.owed)

    found = stored(patient, project)
    assert set(found) == set(ids)
    assert {tuple(sorted(counts.values())) for counts in found.values()} == {(1, 1, 1)}


def test_sync_finds_what_a_real_label_studio_has_twice(patient, backend):
    project, _ = Project.create(patient, "doubled", label_config.read("tabs_brush.xml"), [])
    ids = project.import_tasks([{"image": "squares", "expression": "the red"} for _ in range(3)])
    region = {
        "from_name": "mask", "to_name": "image", "type": "brushlabels", "original_width": 2,
        "original_height": 2, "image_rotation": 0,
        "value": {"format": "rle", "rle": [0], "brushlabels": ["Referent"]},
    }  # fmt: skip
    one_set = [
        {"task": i, "model_version": "v", "score": 0.5, "result": [{**region, "id": f"ris{i}-{rank}"}]}
        for i in ids for rank in (2, 1, 0)
    ]  # fmt: skip
    for predictions in (one_set, one_set[:6]):
        patient.call("POST", f"/api/projects/{project.project_id}/import/predictions", predictions)
    first = patient.call("GET", "/api/predictions", task=ids[0])
    project.annotate(ids[0], first[0]["result"], parent_prediction=first[0]["id"])
    patient.call("POST", f"/api/tasks/{ids[1]}/drafts", {"result": first[0]["result"], "lead_time": 1})

    found = list(find_duplicated_tasks(patient, project.project_id, more_than=3))

    assert [(one.task_id, one.has_draft) for one in found] == [(ids[0], False), (ids[1], True)]
    assert first[0]["id"] not in found[0].surplus
    assert len(found[0].surplus) == len(found[1].surplus) == 3

"""The sync with a real Label Studio: what it reads again, and a webhook that was switched off."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from ris import label_config
from ris.labelstudio.api.changes import fetch_changed_tasks, find_newest_change
from ris.service import RecordingService, SyncService
from ris.store.history import read_decisions
from ris.store.session import Database, upgrade_database
from ris.store.sync_states import find_sync_states
from tests.live.support.backend_server import BackendServer
from tests.live.support.project import Project

pytestmark = pytest.mark.live
BRUSH = label_config.read("tabs_brush.xml")


class Counting:
    """Counts the calls of a client by their path, and the listings that bring answers."""

    def __init__(self, client):
        self.client, self.calls = client, Counter()
        self.exists, self.read_server_time = client.exists, client.read_server_time

    def call(self, method, path, body=None, **params):
        self.calls["answers" if params.get("fields") == "all" else path] += 1
        return self.client.call(method, path, body, **params)


@pytest.fixture
def database(tmp_path):
    url = f"sqlite:///{tmp_path / 'ris.db'}"
    upgrade_database(url)
    database = Database.open(url)
    yield database
    database.close()


@pytest.fixture
def syncing(database, client):
    recording = RecordingService(database, now=lambda: datetime.now(UTC))
    recording.start()
    yield SyncService(database, recording, Counting(client), now=lambda: datetime.now(UTC))
    recording.close()


def make_project(client, n_tasks):
    project, _ = Project.create(client, "sync", BRUSH, [])
    return project, project.import_tasks(
        {"image": "/a.png", "expression": f"mug {n}"} for n in range(n_tasks)
    )


def on_record(database):
    with database.begin() as session:
        answers = [decision.correction.annotation for decision in read_decisions(session)]
    return {answer.annotation_id for answer in answers}


def test_a_sync_reads_only_what_changed(client, syncing, database):
    project, ids = make_project(client, 300)
    kept, gone, edited = (project.annotate(task, [], was_cancelled=True) for task in ids[:3])
    calls = syncing.api.calls

    first = syncing.sync(project.project_id)
    assert (first.n_in_label_studio, first.n_recorded) == (3, 3)
    assert calls["answers"] == 2  # the answered tasks, and the tasks with many predictions
    calls.clear()
    assert syncing.sync(project.project_id).is_in_sync
    assert (calls["answers"], calls.total()) == (0, 4)

    client.call("DELETE", f"/api/annotations/{gone}/")
    client.call("PATCH", f"/api/annotations/{edited}/", {"lead_time": 9.5})
    new = project.annotate(ids[200], [], was_cancelled=True)
    changed = syncing.sync(project.project_id)

    assert (changed.n_applied, changed.n_gone, calls["answers"]) == (2, 1, 1)
    assert on_record(database) == {kept, edited, new}


def test_changed_tasks_come_in_the_order_of_their_change_across_pages(client):
    """Label Studio stamps all tasks of a bulk action with one time: more of them than a page has."""
    project, ids = make_project(client, 250)
    predictions = [{"task": task, "result": [], "model_version": "v"} for task in ids[:230]]
    client.call("POST", f"/api/projects/{project.project_id}/import/predictions", predictions)
    client.call(
        "POST", "/api/dm/actions", {"selectedItems": {"all": True, "excluded": []}},
        id="predictions_to_annotations", project=project.project_id,
    )  # fmt: skip
    for task in ids[240:]:
        project.annotate(task, [])

    newest = find_newest_change(client, project.project_id, None)
    in_a_minute = client.read_server_time() + timedelta(minutes=1)
    assert newest == find_newest_change(client, project.project_id, in_a_minute)
    assert find_newest_change(client, project.project_id, newest - timedelta(hours=1)) is None
    pages = list(fetch_changed_tasks(client, project.project_id, newest - timedelta(hours=1)))

    found = [task["id"] for page in pages for task in page]
    assert sorted(found) == sorted([*ids[:230], *ids[240:]])
    assert found[-10:] == ids[240:]
    assert all(task["annotations"] for page in pages for task in page)


def test_a_webhook_that_was_switched_off_is_repaired_told_and_its_gap_is_closed(
    client, studio, syncing, database, tmp_path
):
    project, ids = make_project(client, 3)
    with BackendServer(tmp_path / "backend", studio.url) as server:
        project.connect(server.url)
    answers = [project.annotate(task, [], was_cancelled=True) for task in ids]
    syncing.sync(project.project_id)
    (hook,) = client.call("GET", "/api/webhooks/", project=project.project_id)
    client.call("PATCH", f"/api/webhooks/{hook['id']}/", {"is_active": False})
    client.call("DELETE", f"/api/tasks/{ids[0]}/")  # nothing lists it: only a comparison of all finds it

    done = syncing.sync(project.project_id)

    assert (done.webhook, done.n_gone) == ("it is switched off", 1)
    assert client.call("GET", f"/api/webhooks/{hook['id']}/")["is_active"]
    assert on_record(database) == set(answers[1:])
    with database.begin() as session:
        (state,) = find_sync_states(session)
    assert state.webhook_summary.endswith(": it is switched off; repaired")
    assert syncing.sync(project.project_id).webhook == ""

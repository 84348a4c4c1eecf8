"""The real Label Studio: tasks -> predictions -> accept, edit, delete -> rows -> export."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as coco

from ris import label_config
from ris.core import rle
from ris.core.types import Verdict
from ris.errors import LabelStudioMissing
from ris.labelstudio.api import connecting
from ris.labelstudio.api.client import LabelStudioClient
from ris.labelstudio.api.fetching import ImageSource
from ris.labelstudio.config.control import read_controls
from ris.labelstudio.images.decoding import decode_image
from ris.labelstudio.masks import brush
from ris.service import RecordingService, SyncService
from ris.service.webhook_access import ProjectTokens
from ris.store.history import read_corrections
from ris.store.inbox import count_events
from ris.store.records import save_project
from ris.store.session import Database, upgrade_database
from ris.store.sync_states import find_sync_states
from tests.builders.exported import write_coco_file
from tests.live.support.annotator import Annotator
from tests.live.support.backend_server import BackendServer
from tests.live.support.project import Project
from tests.live.support.recorded import on_record
from tests.live.support.studio import DEMO_TOKEN, LabelStudioServer

pytestmark = pytest.mark.live

PHOTOS = Path(__file__).parents[2].parent / "shared" / "photos"
BRUSH = label_config.read("tabs_brush.xml")


@pytest.fixture(scope="module")
def server(studio, tmp_path_factory):
    with BackendServer(tmp_path_factory.mktemp("backend"), studio.url) as server:
        yield server


@pytest.fixture(scope="module")
def loaded(client, server, samples):
    """A project with eight tasks and their predictions."""
    project, stored = Project.create(client, "live", BRUSH, [s.png for s in samples])
    data = [{"image": ref, "expression": s.expression} for ref, s in zip(stored, samples, strict=True)]
    ids = project.import_tasks(data)
    project.connect(server.url)
    project.wait_for_predictions(ids)
    return project, ids


@pytest.fixture(scope="module")
def annotator(loaded):
    return Annotator(loaded[0], read_controls(BRUSH))


def test_predictions_are_stored_worst_first_and_best_last_under_the_version_of_setup(loaded, client, server):
    _, ids = loaded
    version = client.__class__(server.url, None).call("GET", "/health/ready")["model_version"]

    stored = sorted(client.call("GET", "/api/predictions/", task=ids[0]), key=lambda p: p["id"])

    assert [p["result"][0]["meta"]["rank"] for p in stored] == [2, 1, 0]
    assert {p["model_version"] for p in stored} == {version}


def test_asking_again_adds_nothing(loaded):
    project, ids = loaded
    before = [len(project.predictions(i)) for i in ids]

    project.retrieve_predictions(ids)

    assert [len(project.predictions(i)) for i in ids] == before == [3] * len(ids)


def test_three_people_who_open_a_task_at_once_get_the_same_alternatives(loaded, client):
    _, ids = loaded
    opened = []
    threads = [
        threading.Thread(target=lambda: opened.append(client.call("GET", f"/api/tasks/{ids[1]}")))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    ids_seen = [sorted(p["result"][0]["id"] for p in task["predictions"]) for task in opened]
    assert ids_seen[0] == ids_seen[1] == ids_seen[2]
    assert len(set(ids_seen[0])) == 3


def test_every_act_of_an_annotator_is_on_record_as_it_was_meant(loaded, annotator, server, samples):
    project, ids = loaded
    offered = {i: project.predictions(i) for i in ids}
    acts = [
        annotator.accept(ids[0], offered[ids[0]], 0),
        annotator.accept(ids[1], offered[ids[1]], 2),
        annotator.fix(ids[2], offered[ids[2]], 1),
        annotator.redraw(ids[3], offered[ids[3]], samples[3].truth),
        annotator.mark_no_referent(ids[4], offered[ids[4]]),
        annotator.skip(ids[5], offered[ids[5]]),
    ]

    found = on_record(server, project, lambda found: {a.annotation_id for a in acts} <= set(found))

    recorded = [
        (found[a.annotation_id].correction.verdict, found[a.annotation_id].correction.rank) for a in acts
    ]
    assert recorded == [(a.verdict, a.rank) for a in acts]
    redrawn = found[acts[3].annotation_id].correction.annotation.mask
    assert (rle.decode_rle(redrawn) == samples[3].truth).all()


def test_an_update_is_a_new_version_and_a_deletion_ends_it(loaded, annotator, client, server):
    project, ids = loaded
    offered = project.predictions(ids[6])
    act = annotator.accept(ids[6], offered, 0)
    changed = [{**offered[1]["result"][0]}]
    client.call("PATCH", f"/api/annotations/{act.annotation_id}/", {"result": changed})
    found = on_record(
        server, project,
        lambda f: act.annotation_id in f and f[act.annotation_id].correction.rank == 1,
    )  # fmt: skip
    assert found[act.annotation_id].correction.verdict == Verdict.ACCEPTED

    client.call("DELETE", f"/api/annotations/{act.annotation_id}/")
    found = on_record(server, project, lambda f: act.annotation_id not in f)
    assert act.annotation_id not in found

    database = Database.open(server.database_url)
    with database.begin() as session:
        history = read_corrections(session, project.key, act.annotation_id)
    database.close()
    assert [version.rank for version in history] == [0, 1]


def test_a_bulk_action_is_understood(loaded, client, server):
    """The Data Manager's "Create Annotations From Predictions" sends lists under singular names."""
    project, ids = loaded
    client.call(
        "POST", "/api/dm/actions", {"selectedItems": {"all": False, "included": [ids[7]]}, "project": "0"},
        id="predictions_to_annotations", project=project.project_id,
    )  # fmt: skip

    found = on_record(
        server,
        project,
        lambda f: sum(d.correction.annotation.task.task_id == ids[7] for d in f.values()) == 3,
    )

    made = [d.correction for d in found.values() if d.correction.annotation.task.task_id == ids[7]]
    assert sorted(c.rank for c in made) == [0, 1, 2]
    assert {c.verdict for c in made} == {Verdict.ACCEPTED}


def test_what_is_exported_is_what_label_studio_has(loaded, client, server, tmp_path):
    project, ids = loaded
    found = on_record(server, project, lambda f: True)
    write_coco_file(list(found.values()), tmp_path / "coco.json")

    exported = json.loads((tmp_path / "coco.json").read_text())["annotations"]
    by_id = {a["attributes"]["annotation_id"]: a for a in exported}
    compared = 0
    for task_id in ids:
        for annotation in client.call("GET", f"/api/tasks/{task_id}/annotations/"):
            regions = [r for r in annotation["result"] if r["type"] == "brushlabels"]
            if annotation["was_cancelled"] or not regions:
                assert annotation["id"] not in by_id
                continue
            size = regions[0]["original_height"], regions[0]["original_width"]
            theirs = brush.decode_brush(regions[0]["value"]["rle"], size)
            ours = coco.decode(by_id[annotation["id"]]["segmentation"]).astype(np.bool_)
            assert (ours == theirs).all()
            compared += 1
    assert compared == len(exported) >= 7


def test_no_event_was_misunderstood(loaded, server):
    database = Database.open(server.database_url)
    with database.begin() as session:
        counts = count_events(session)
    database.close()

    assert counts["failed"] == 0
    assert counts["done"] > 0


def test_polygons_are_offered_and_an_untouched_outline_is_an_acceptance(client, server, samples):
    config = label_config.read("tabs_polygon.xml")
    project, stored = Project.create(client, "polygons", config, [samples[0].png])
    ids = project.import_tasks([{"image": stored[0], "expression": samples[0].expression}])
    project.connect(server.url)
    project.wait_for_predictions(ids)
    best = project.predictions(ids[0])[0]

    annotation = project.annotate(ids[0], best["result"], parent_prediction=best["id"])

    assert best["result"][0]["type"] == "polygonlabels"
    correction = on_record(server, project, lambda f: annotation in f)[annotation].correction
    assert (correction.verdict, correction.rank) == (Verdict.ACCEPTED, 0)


def test_of_all_alternatives_on_the_image_a_key_takes_one(client, server, samples):
    config = label_config.read("pick_brush.xml")
    project, stored = Project.create(client, "pick", config, [samples[1].png])
    ids = project.import_tasks([{"image": stored[0], "expression": samples[1].expression}])
    project.connect(server.url)
    project.wait_for_predictions(ids)
    (offered,) = project.predictions(ids[0])
    assert [r["value"]["brushlabels"] for r in offered["result"]] == [["1st"], ["2nd"], ["3rd"]]
    key = {"id": "pick0", "from_name": "pick", "to_name": "image", "type": "choices", "origin": "manual"}

    annotation = project.annotate(
        ids[0], [*offered["result"], {**key, "value": {"choices": ["2nd"]}}], parent_prediction=offered["id"]
    )

    correction = on_record(server, project, lambda f: annotation in f)[annotation].correction
    assert (correction.verdict, correction.rank) == (Verdict.ACCEPTED, 1)


def test_connecting_makes_and_mends_all_links_and_may_be_repeated(client, server):
    number = connecting.create_project(client, "connect", label_config.read("tabs_brush.xml"))
    ours = connecting.MLBackend(server.url, "ris", "open")
    database = Database.open(server.database_url)
    tokens = ProjectTokens(database, "open")

    def connect(**more):
        return connecting.connect_project(client, number, ours, tokens=tokens, **more)

    first = connect(label_config=label_config.read("pick_brush.xml"))
    again = connect()
    (hook,) = client.call("GET", "/api/webhooks/", project=number)
    client.call("PATCH", f"/api/webhooks/{hook['id']}/", {"is_active": False, "headers": {}})
    client.call(
        "POST", "/api/webhooks/",
        {"url": hook["url"], "project": number, "send_payload": True, "send_for_all_actions": True},
    )  # fmt: skip
    mended = connect()

    # Label Studio makes a webhook of its own, without the token that ours asks for.
    assert [step.outcome for step in first[1:]] == [
        "connected", "repaired: headers", "shown to annotators", "the live backend's",
    ]  # fmt: skip
    assert [step.outcome for step in again[1:3]] == ["connected already", "exists already"]
    assert mended[2].outcome.startswith("repaired: ")
    (hook,) = client.call("GET", "/api/webhooks/", project=number)
    assert hook["is_active"]
    assert tokens.is_current(number, connecting.read_webhook_token(hook))
    database.close()
    (backend,) = client.call("GET", "/api/ml", project=number)
    assert backend["state"] == "CO"


def test_a_sync_finds_what_no_webhook_told(client, server, samples):
    project, stored = Project.create(client, "sync", BRUSH, [samples[2].png])
    ids = project.import_tasks([{"image": stored[0], "expression": samples[2].expression}])
    project.connect(server.url)
    project.wait_for_predictions(ids)

    def delete_webhooks():
        for hook in client.call("GET", "/api/webhooks/", project=project.project_id):
            client.call("DELETE", f"/api/webhooks/{hook['id']}/")

    delete_webhooks()
    best, second, _ = project.predictions(ids[0])
    kept, deleted = (project.annotate(ids[0], p["result"]) for p in (best, second))
    database = Database.open(server.database_url)
    recording = RecordingService(database, now=lambda: datetime.now(UTC))
    recording.start()
    syncing = SyncService(database, recording, client, now=lambda: datetime.now(UTC))
    try:
        first = syncing.sync(project.project_id)
        delete_webhooks()  # the sync created it again
        client.call("DELETE", f"/api/annotations/{deleted}/")
        again = syncing.sync(project.project_id)
    finally:
        recording.close()
        database.close()

    assert (first.n_in_label_studio, first.n_recorded, first.n_applied, first.n_gone) == (2, 2, 2, 0)
    assert (again.n_in_label_studio, again.n_recorded, again.n_applied, again.n_gone) == (1, 1, 0, 1)
    found = on_record(server, project, lambda f: True)
    assert [(i, d.correction.verdict, d.correction.rank) for i, d in found.items()] == [
        (kept, Verdict.ACCEPTED, 0)
    ]


def test_a_project_that_was_deleted_is_gone_and_stops_no_other(client, tmp_path):
    numbers = [connecting.create_project(client, f"gone {i}", BRUSH) for i in range(2)]
    url = f"sqlite:///{tmp_path / 'ris.db'}"
    upgrade_database(url)
    database = Database.open(url)
    recording = RecordingService(database, now=lambda: datetime.now(UTC))
    recording.start()
    syncing = SyncService(database, recording, client, now=lambda: datetime.now(UTC))
    try:
        with database.begin() as session:
            for number in numbers:
                save_project(
                    session, f"{number}.0", label_config=BRUSH, extra_params={}, now=datetime.now(UTC)
                )
        client.call("DELETE", f"/api/projects/{numbers[0]}")
        with pytest.raises(LabelStudioMissing, match=f"project {numbers[0]} is gone in Label Studio"):
            syncing.sync(numbers[0])
        assert syncing.sync(numbers[1]).is_in_sync
        with database.begin() as session:
            gone, kept = find_sync_states(session)
    finally:
        recording.close()
        database.close()

    assert (gone.is_missing, gone.n_failures, kept.n_failures) == (True, 1, 0)


@pytest.fixture(scope="module")
def ris(server, studio):
    """The command line, as a user would run it beside this server."""
    env = os.environ | {
        "RIS_DATABASE_URL": server.database_url, "RIS_LABEL_STUDIO_URL": studio.url,
        "RIS_LABEL_STUDIO_API_KEY": DEMO_TOKEN, "COLUMNS": "250", "RIS_PORT": str(server.port),
    }  # fmt: skip

    def run(*arguments, status=0, **settings):
        ran = subprocess.run(
            [sys.executable, "-m", "ris", *map(str, arguments)],
            env=env | settings, cwd=server.folder, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert ran.returncode == status, ran.stdout + ran.stderr
        return ran.stdout if status == 0 else ran.stdout + ran.stderr

    return run


def test_what_leaves_in_every_format_is_read_back_and_agrees_with_the_record(loaded, ris, tmp_path):
    project, _ = loaded
    told = ris(
        "export", "--out", tmp_path / "out", "--project", project.key, "--split", "val=0.3", "--images"
    )
    checked = ris("validate", tmp_path / "out")

    assert checked.count("equal") == 10
    assert "yolo" in told
    assert len(list((tmp_path / "out" / "images").iterdir())) > 4


def test_an_export_comes_back_as_tasks_with_ground_truth(loaded, ris, client, server, tmp_path):
    project, _ = loaded
    ris("export", "--out", tmp_path, "--project", project.key, "--format", "grefcoco", "--images")

    told = ris("import", tmp_path / "grefcoco", "--images", tmp_path / "images", "--create", "again")
    number = int(re.search(r"into project (\d+)", told)[1])
    told_again = ris("import", tmp_path / "grefcoco", "--images", tmp_path / "images", "--project", number)

    taken = int(re.search(r"imported (\d+) of", told)[1])
    already = f"{taken} were there already"
    assert f"0 of {taken} expressions were imported into project {number}; {already}" in " ".join(
        told_again.split()
    )
    listed = client.call("GET", "/api/tasks", project=number, fields="all", page_size=100)["tasks"]
    assert len(listed) == taken
    assert all(task["annotations"][0]["ground_truth"] for task in listed)
    assert all(
        ImageSource(client).fetch(task["data"]["image"], task["id"]) for task in listed[:2] + listed[-2:]
    )
    ris("sync", "--project", number)
    assert on_record(server, Project(client, number), lambda found: True) == {}


def test_another_method_is_compared_on_the_decided_tasks(loaded, ris):
    project, _ = loaded
    told = ris("evaluate", "--rerun", "tiny", "--method", "iterprime", "--project", project.key)

    assert "iterprime alone" in told
    assert "mean IoU, top 1" in told


def test_start_training_in_label_studio_reaches_the_backend(loaded, client, server):
    project, _ = loaded
    (backend,) = client.call("GET", "/api/ml", project=project.project_id)

    client.call("POST", f"/api/ml/{backend['id']}/train", {})

    log = server.folder / "backend.log"
    while "training:" not in log.read_text():
        time.sleep(0.2)
    assert "at least 30 on 10 are needed" in log.read_text()


def test_the_doctor_finds_each_link_that_is_broken_and_connect_mends_it(ris, client, server):
    number = connecting.create_project(client, "doctor", label_config.read("pick_brush_smart.xml"))

    def failing(**settings):
        lines = ris("doctor", "--project", number, status=1, **settings).splitlines()
        return [line.split("│")[2].strip() for line in lines if "TO DO" in line]

    def hook():
        hooks = client.call("GET", "/api/webhooks/", project=number)
        (ours,) = [one for one in hooks if one["url"] == f"{server.url}/webhook"]
        return f"/api/webhooks/{ours['id']}/"

    def others_shown():
        (task,) = Project(client, number).import_tasks([{"image": "/data/x.png", "expression": "mug"}])
        client.call("POST", "/api/predictions", {"task": task, "result": [], "model_version": "yesterday"})
        client.call("PATCH", f"/api/projects/{number}", {"model_version": "yesterday"})

    def backend():
        return f"/api/ml/{client.call('GET', '/api/ml', project=number)[0]['id']}"

    breaks = {
        "ML backend": lambda: client.call(
            "PATCH", backend(), {"url": server.url, "project": number, "is_interactive": False}
        ),
        "webhook": lambda: client.call("DELETE", hook()),
        "delivery": lambda: client.call("PATCH", hook(), {"url": "http://127.0.0.1:9/webhook"}),
        "webhook switched off": lambda: client.call("PATCH", hook(), {"is_active": False}),
        "webhook without payload": lambda: client.call("PATCH", hook(), {"send_payload": False}),
        "webhook for some actions": lambda: client.call("PATCH", hook(), {"send_for_all_actions": False}),
        "predictions": others_shown,
        "predictions hidden": lambda: client.call(
            "PATCH", f"/api/projects/{number}", {"show_collab_predictions": False}
        ),
        "label config": lambda: client.call(
            "PATCH", f"/api/projects/{number}", {"label_config": "<View><Text name='t' value='$t'/></View>"}
        ),
    }
    assert failing() == ["ML backend", "webhook"]
    ris("connect", "--project", number)
    assert "a webhook that was sent just now arrived" in ris("doctor", "--project", number)
    for link, break_it in breaks.items():
        break_it()
        assert failing()[0] in (*link.split(maxsplit=1)[:1], link, "webhook")
        layout = ["--config", "pick_brush_smart", "--yes"] if link == "label config" else []
        ris("connect", "--project", number, *layout)
        ris("doctor", "--project", number)

    empty = f"sqlite:///{server.folder / 'empty.db'}"
    assert failing(RIS_DATABASE_URL=empty) == ["database"]
    assert failing(RIS_LABEL_STUDIO_API_KEY="0" * 40) == ["key"]
    assert failing(RIS_LABEL_STUDIO_URL="http://127.0.0.1:9") == ["Label Studio"]
    assert failing(RIS_PORT="9", RIS_PRESET="tiny")[0] == "server"
    assert failing(RIS_BASIC_AUTH_USER="ris", RIS_BASIC_AUTH_PASSWORD="new")[-1] == "webhook"


@pytest.mark.parametrize(
    "guarded", [("ML_BLOCK_LOCAL_IP", "SSRF_PROTECTION_ENABLED"), ("SSRF_PROTECTION_ENABLED",)]
)
def test_a_label_studio_that_refuses_private_addresses_is_told_by_the_variable_to_change(
    ris, server, tmp_path, guarded
):
    """Both are its defaults. With one alone it answers 403 and connects all the same, without a webhook."""
    with LabelStudioServer(tmp_path, **dict.fromkeys(guarded, "true")) as refusing:
        client = LabelStudioClient(refusing.url, DEMO_TOKEN, timeout_s=60)
        number = connecting.create_project(client, "refused", label_config.read("pick_brush.xml"))
        where = {"RIS_LABEL_STUDIO_URL": refusing.url}

        refused = ris("connect", "--project", number, status=1, **where)
        looked = ris("doctor", "--project", number, status=1, **where)

    assert "SSRF_PROTECTION_ENABLED=false" in refused
    assert "SSRF_PROTECTION_ENABLED=false" in looked
    assert "Traceback" not in refused + looked


def test_a_new_project_with_sample_tasks_is_one_command_and_safe_to_run_twice(ris, client):
    """`ris connect --create --samples`, as a labelling lead runs it; the samples have predictions at once."""
    said = ris("connect", "--create", "From nothing", "--samples", "2")
    number = int(re.search(r"projects/(\d+)/data", said)[1])
    again = ris("connect", "--project", str(number), "--samples", "2")
    listed = client.call("GET", "/api/tasks", project=number, fields="all")["tasks"]
    project = Project(client, number)
    project.wait_for_predictions([task["id"] for task in listed])

    assert "2 added" in said
    assert "there already" in again
    assert len(listed) == 2
    assert client.call("GET", f"/api/projects/{number}")["model_version"] == "ris"
    ris("doctor", "--project", str(number))


def test_a_project_is_prelabelled_ahead_and_its_tasks_open_with_predictions_without_a_server(
    ris, client, samples
):
    """No backend is connected: the predictions are stored, shown, and not stored again."""
    project, stored = Project.create(
        client, "ahead", label_config.read("pick_brush.xml"), [s.png for s in samples[:2]]
    )
    ids = project.import_tasks(
        [{"image": ref, "expression": s.expression} for ref, s in zip(stored, samples, strict=False)]
        + [{"image": "/data/upload/1/none.png", "expression": "mug"}]
    )

    told = ris("prelabel", "--project", project.project_id, "--push", status=1)
    again = ris("prelabel", "--project", project.project_id, "--push", status=1)

    assert "2 predictions stored" in told
    assert "1 tasks have no suggestions" in told
    assert "1 to do" in again
    assert "0 predictions stored" in again
    assert [len(project.predictions(i)) for i in ids] == [1, 1, 0]
    (one,) = project.predictions(ids[0])
    assert [r["value"]["brushlabels"] for r in one["result"]] == [["1st"], ["2nd"], ["3rd"]]
    assert client.call("GET", f"/api/projects/{project.project_id}")["model_version"] == one["model_version"]


def test_a_click_in_the_editor_gives_one_mask(client, server, samples):
    """What the editor sends with Auto-Annotation on, through Label Studio."""
    config = label_config.read("pick_brush_smart.xml")
    project, stored = Project.create(client, "clicks", config, [samples[3].png])
    ids = project.import_tasks([{"image": stored[0], "expression": samples[3].expression}])
    connecting.connect_project(client, project.project_id, connecting.MLBackend(server.url))
    project.wait_for_predictions(ids)
    (backend,) = client.call("GET", "/api/ml", project=project.project_id)
    assert backend["is_interactive"]
    truth = samples[3].truth
    row, column = (int(values[len(values) // 2]) for values in np.nonzero(truth))
    click = {
        "type": "keypointlabels", "from_name": "click", "to_name": "image", "id": "k1", "origin": "manual",
        "is_positive": True, "original_width": truth.shape[1], "original_height": truth.shape[0],
        "value": {
            "x": 100 * column / truth.shape[1], "y": 100 * row / truth.shape[0], "width": 0.2,
            "keypointlabels": ["drawn by me"],
        },
    }  # fmt: skip

    answer = client.call(
        "POST", f"/api/ml/{backend['id']}/interactive-annotating",
        {"task": ids[0], "context": {"result": [click]}},
    )  # fmt: skip

    region, *notices = answer["data"]["result"]
    assert [notice["value"]["choices"] for notice in notices] == [[], []]
    mask = brush.decode_brush(region["value"]["rle"], truth.shape)
    assert region["value"]["brushlabels"] == ["drawn by me"]
    assert (mask & truth).sum() / (mask | truth).sum() > 0.5


@pytest.mark.skipif(
    not PHOTOS.is_dir(), reason="the photographs are not part of the product: ../shared/photos"
)
def test_real_photographs_pass_through_upload_predict_and_the_store(client, server):
    """The shape and the sizes of the answer are checked, not its meaning: the networks are toys."""
    tasks = [t["data"] for t in json.loads((PHOTOS / "tasks.json").read_text())]
    names = sorted({t["image"] for t in tasks})
    files = {name: (PHOTOS / name).read_bytes() for name in names}
    project, stored = Project.create(client, "photographs", BRUSH, list(files.values()))
    where = dict(zip(names, stored, strict=True))
    ids = project.import_tasks([{**t, "image": where[t["image"]]} for t in tasks])
    project.connect(server.url)
    project.wait_for_predictions(ids)

    for task_id, task in zip(ids, tasks, strict=True):
        size = decode_image(files[task["image"]], max_pixels=10**8).size
        offered = project.predictions(task_id)
        assert 1 <= len(offered) <= 3
        for prediction in offered:
            region = prediction["result"][0]
            assert (region["original_height"], region["original_width"]) == size
            assert brush.decode_brush(region["value"]["rle"], size).any()


def test_predictions_that_were_computed_for_a_file_keep_their_record_where_they_are_imported(
    client, server, samples, ris, tmp_path
):
    """The answer that the file has already is nobody's decision here until somebody saves it."""
    project, stored = Project.create(client, "elsewhere", BRUSH, [samples[0].png])
    said = {"image": stored[0], "expression": samples[0].expression}
    (tmp_path / "tasks.json").write_text(json.dumps([{"data": said, "annotations": [{"result": []}]}]))
    ris(
        "prelabel",
        "--tasks",
        tmp_path / "tasks.json",
        "--config",
        "tabs_brush",
        "--out",
        tmp_path / "out.json",
    )
    (task,) = json.loads((tmp_path / "out.json").read_text())
    project.connect(server.url)
    imported = client.call(
        "POST", f"/api/projects/{project.project_id}/import", [task], return_task_ids="true"
    )
    (number,) = imported["task_ids"]

    ris("sync", "--project", project.project_id)
    assert on_record(server, project, lambda found: True) == {}

    annotator = Annotator(project, read_controls(BRUSH))
    acts = [act(number, project.predictions(number), 1) for act in (annotator.accept, annotator.fix)]
    found = on_record(server, project, lambda found: len(found) == 2)
    ris("sync", "--project", project.project_id)

    assert on_record(server, project, lambda found: True).keys() == {act.annotation_id for act in acts}
    for act in acts:
        decision = found[act.annotation_id]
        assert (decision.correction.verdict, decision.correction.rank) == (act.verdict, 1)
        assert len(decision.alternatives) == len(task["predictions"])
        assert decision.image_digest is not None

import json
import threading
from dataclasses import replace

import pytest
from sqlalchemy import text

from ris.core.types import Task
from ris.errors import WeightsError
from ris.label_config import read
from ris.labelstudio.api.pushing import PredictionWriter
from ris.service import DeliveryService, RefinementService, SceneCache, SuggestionService, Worker
from ris.store.claims import claim_new_events
from ris.store.deliveries import count_deliveries
from ris.store.inbox import count_events
from ris.store.records import ProjectRow
from ris.web.app import create_app
from ris.web.handlers import Services
from tests.builders.events import event
from tests.builders.requests import CONFIG
from tests.builders.services import NOW
from tests.labelstudio.predictions import PredictionStore


def task(number=1, **data):
    return {
        "id": number,
        "data": {"image": "squares", "expression": "the red"} | data,
        "predictions": [],
        "meta": {},
    }


def body(*tasks, **more):
    return {
        "tasks": list(tasks),
        "project": "1.1700000000",
        "label_config": CONFIG,
        "params": {"context": None},
    } | more


def test_alive_is_apart_from_ready(client, gate, suggesting):
    loading = client.get("/health"), client.get("/health/ready")
    gate.opened.set()
    suggesting.worker._pipeline.result()
    ready = client.get("/health/ready")

    assert loading[0].json == {"status": "UP", "model_class": "ReferringSegmentation"}
    assert (loading[1].status_code, loading[1].json["models"]) == (503, "loading")
    assert (ready.status_code, ready.json) == (
        200, {"status": "UP", "models": "ready", "database": "ready", "model_version": "fake-1"},
    )  # fmt: skip


def test_the_state_of_the_key_is_what_label_studio_says_of_it(backend):
    refused = create_app(replace(backend, check_label_studio=lambda: "401: bad key")).test_client()
    accepted = create_app(replace(backend, check_label_studio=lambda: "")).test_client()

    assert refused.get("/health/label-studio").json == {"error": "401: bad key"}
    assert accepted.get("/health/label-studio").json == {"error": ""}


def test_networks_that_never_will_load_are_told_to_setup_and_to_readiness(database, images, recording):
    def load():
        raise WeightsError("the model file x is missing; install the package again")

    worker = Worker(load, SceneCache(1))
    worker.start()
    suggesting = SuggestionService(database, worker, images, version="v", now=lambda: NOW)
    backend = Services(
        suggesting,
        recording,
        RefinementService(worker, suggesting, images),
        start_training=lambda: True,
        deadline_s=9,
    )
    client = create_app(backend).test_client()
    worker._pipeline.exception()

    setup = client.post("/setup", json={"project": "1.2", "schema": CONFIG})
    ready = client.get("/health/ready")

    assert client.get("/health").status_code == 200
    assert (ready.status_code, ready.json["models"]) == (
        503, "the model file x is missing; install the package again",
    )  # fmt: skip
    assert (setup.status_code, setup.json["error"]) == (
        503, "the models could not be loaded: the model file x is missing; install the package again",
    )  # fmt: skip
    assert client.post("/predict", json=body(task())).json["results"] == [[]]


def test_a_database_that_is_gone_is_alive_and_not_ready(client, database, gate, suggesting):
    gate.opened.set()
    suggesting.worker._pipeline.result()
    with database.begin() as session:
        session.execute(text('DROP TABLE "use"'))

    ready = client.get("/health/ready")

    assert client.get("/health").status_code == 200
    assert ready.status_code == 503
    assert ready.json["models"] == "ready"
    assert ready.json["database"] != "ready"


def test_a_database_that_somebody_has_locked_is_not_ready_and_says_so(client, database, gate, suggesting):
    gate.opened.set()
    suggesting.worker._pipeline.result()
    with database.begin_connection() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        locked = client.get("/health/ready")
    ready = client.get("/health/ready")

    assert (locked.status_code, locked.json["models"]) == (503, "ready")
    assert locked.json["database"] in (
        "the database does not answer", "the database refused: database is locked",
    )  # fmt: skip
    assert ready.json["status"] == "UP"


def test_setup_returns_the_version_and_remembers_the_project_without_its_token(client, database):
    asked = {
        "project": "1.2", "schema": CONFIG, "hostname": "http://x", "access_token": "secret",
        "extra_params": {"k": 3},
    }  # fmt: skip

    assert client.post("/setup", json=asked).json == {"model_version": "fake-1"}
    with database.begin() as session:
        row = session.get_one(ProjectRow, "1.2")
        assert (row.label_config, row.extra_params) == (CONFIG, {"k": 3})


def test_setup_refuses_a_label_config_without_a_place_for_a_mask(client):
    answer = client.post(
        "/setup", json={"project": "1.2", "schema": "<View><Image name='i' value='$i'/></View>"}
    )

    assert answer.status_code == 400
    assert "no <BrushLabels> or <PolygonLabels> for image 'i'" in answer.json["error"]


def test_predict_gives_a_list_of_predictions_worst_first_and_best_last(client, gate):
    gate.opened.set()

    (predictions,) = client.post("/predict", json=body(task())).json["results"]

    assert [p["result"][0]["meta"]["rank"] for p in predictions] == [2, 1, 0]
    assert {p["model_version"] for p in predictions} == {"fake-1"}
    assert client.post("/setup", json={"project": "1.2", "schema": CONFIG}).json["model_version"] == "fake-1"


def test_predict_gives_one_entry_a_task_whatever_became_of_it(client, gate, caplog):
    gate.opened.set()
    tasks = [
        task(1),
        {"id": 2, "data": {"image": "squares"}},
        task(3, image="gone"),
        task(4, expression="mug " * 2000),
        task(5, expression="左の赤"),
        task(6, image="black"),
        "nonsense",
    ]

    answer = client.post("/predict", json=body(*tasks))

    assert [len(entry) for entry in answer.json["results"]] == [3, 0, 0, 0, 3, 0, 0]
    assert 'task 2 has no text under data["expression"]' in caplog.text
    assert "cannot fetch the image of task 3" in caplog.text
    assert "task 4 has an expression of 2000 words" in caplog.text


def test_a_task_with_half_an_emoji_is_answered_and_so_is_the_one_beside_it(client, gate):
    gate.opened.set()
    bad = task(12, expression="the red \ud83d", other=float("nan")) | {"predictions": [{"x": "\udd89"}]}

    answer = client.post("/predict", data=json.dumps(body(bad, task(14))), content_type="application/json")

    assert answer.status_code == 200
    assert [len(entry) > 0 for entry in answer.json["results"]] == [True, True]


def test_setup_remembers_parameters_that_no_database_takes_without_what_it_does_not_take(client, database):
    told = {
        "project": "1.1700000000",
        "schema": CONFIG,
        "extra_params": {"a\ud83d": "b\ud83d\0", "c": float("nan")},
    }

    assert client.post("/setup", data=json.dumps(told), content_type="application/json").status_code == 200

    with database.begin() as session:
        assert session.get_one(ProjectRow, "1.1700000000").extra_params == {"a\ufffd": "b\ufffd", "c": None}


def test_asked_again_the_regions_have_the_same_ids(client, gate):
    gate.opened.set()
    ids = [
        [p["result"][0]["id"] for p in client.post("/predict", json=body(task())).json["results"][0]]
        for _ in range(2)
    ]

    assert ids[0] == ids[1]


def test_one_task_may_come_without_its_list(client, gate):
    gate.opened.set()

    assert len(client.post("/predict", json=body() | {"tasks": task()}).json["results"]) == 1


@pytest.mark.parametrize("route", ["/setup", "/predict", "/webhook"])
@pytest.mark.parametrize("data", [b"", b"not json", b"[1, 2]", b'"text"', b"\xff\xfe", b"null"])
def test_a_body_that_is_no_object_is_one_sentence(client, route, data):
    answer = client.post(route, data=data, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json["error"].startswith(("the body of " + route, "a webhook's body must be"))


@pytest.mark.parametrize(
    "more", [{"tasks": 5}, {"project": None}, {"label_config": None}, {"label_config": "<View>"}]
)
def test_a_request_that_lacks_something_is_one_sentence(client, more):
    answer = client.post("/predict", json=body(task()) | more)

    assert answer.status_code == 400
    assert len(answer.json["error"]) > 20


def test_a_webhook_is_on_disk_before_it_is_answered(client, database):
    sent = event([])

    answer = client.post("/webhook", json=sent)

    assert (answer.status_code, answer.json) == (201, {"status": "kept"})
    with database.begin() as session:
        counts = count_events(session)
    assert counts["new"] + counts["done"] == 1


def test_the_same_webhook_again_is_known(client, database):
    client.post("/webhook", json=event([]))

    answer = client.post("/webhook", json=event([]))

    assert (answer.status_code, answer.json) == (200, {"status": "known"})


def test_an_action_that_is_new_to_us_is_kept(client, database):
    assert client.post("/webhook", json={"action": "MOON_LANDED", "moon": 1}).status_code == 201
    with database.begin() as session:
        waiting = [body for _, body in claim_new_events(session, limit=5)]
        counts = count_events(session)
    assert waiting == [{"action": "MOON_LANDED", "moon": 1}] or counts["done"] == 1


def test_versions_are_listed(client):
    assert client.get("/versions").json == {"versions": ["fake-1"]}


def test_metrics_count_tasks_events_and_requests(client, gate):
    gate.opened.set()
    client.post("/predict", json=body(task(1), task(2, image="gone")))
    client.post("/webhook", json=event([]))
    client.post("/webhook", json={"action": "MOON_LANDED"})

    text = client.get("/metrics").get_data(as_text=True)

    assert 'ris_tasks_total{outcome="alternatives"} 1.0' in text
    assert 'ris_tasks_total{outcome="empty"} 1.0' in text
    assert 'ris_events_total{action="ANNOTATION_CREATED"} 1.0' in text
    assert 'ris_events_total{action="other"} 1.0' in text
    assert 'ris_requests_total{route="/predict",status="200"} 1.0' in text
    assert 'ris_empty_results_total{cause="ImageUnreachable"} 1.0' in text


def test_metrics_say_what_waits_what_is_remembered_and_how_far_the_inbox_is(client, gate, recording):
    client.post("/webhook", json=event([]))
    before = metrics(client)
    gate.opened.set()
    client.post("/predict", json=body(task(1)))
    client.post("/predict", json=body(task(2, expression="the blue")))
    while recording.process_events():
        pass
    after = metrics(client)

    assert before["ris_models_ready"] == before["ris_scenes"] == 0
    assert (before['ris_inbox_events{state="new"}'], after['ris_inbox_events{state="new"}']) == (1, 0)
    assert after['ris_inbox_events{state="failed"}'] == 0
    assert (after["ris_models_ready"], after["ris_scenes"]) == (1, 1)
    assert after["ris_scene_bytes"] > 1000
    assert after['ris_scene_lookups_total{outcome="hit"}'] == 1
    assert after['ris_scene_lookups_total{outcome="miss"}'] == 1
    assert after["ris_tasks_waiting"] == after["ris_jobs_waiting"] == 0


def test_metrics_say_what_the_vision_language_model_cost(client, backend):
    backend.vlm_usage.count_call("answered", seconds=2.5)
    backend.vlm_usage.count_tokens(100, 7)
    backend.vlm_usage.count_lookup(is_hit=True)

    found = metrics(client)

    assert found['ris_vlm_calls_total{outcome="answered"}'] == 1
    assert found['ris_vlm_calls_total{outcome="failed"}'] == 0
    assert found['ris_vlm_tokens_total{direction="in"}'] == 100
    assert found['ris_vlm_lookups_total{outcome="hit"}'] == 1
    assert found["ris_vlm_seconds_total"] == 2.5


def metrics(client):
    lines = client.get("/metrics").get_data(as_text=True).splitlines()
    return {name: float(value) for name, value in (x.rsplit(" ", 1) for x in lines if x[0] != "#")}


HEARTEX = {"User-Agent": "heartex/1.23.2-g"}


@pytest.fixture
def studio():
    return PredictionStore([1, 2], CONFIG)


@pytest.fixture
def delivering(suggesting, studio):
    delivering = DeliveryService(
        suggesting.database, suggesting, PredictionWriter(studio), now=lambda: NOW, poll_s=0
    )
    delivering.start()
    yield delivering
    delivering.close()


def written_client(suggesting, recording, refining, delivering, deadline_s):
    backend = Services(
        suggesting, recording, refining, deadline_s=deadline_s, start_training=lambda: True,
        delivering=delivering,
    )  # fmt: skip
    client = create_app(backend).test_client()
    client.post("/setup", json={"project": "1.1700000000", "schema": CONFIG})
    return client


def until_nothing_is_owed(delivering):
    while True:
        with delivering.database.begin() as session:
            if not count_deliveries(session):
                return
        delivering._closing.wait(0.01)


@pytest.mark.parametrize("headers", [HEARTEX, {}])
def test_what_was_late_is_written_into_label_studio_once_it_is_ready(
    suggesting, recording, refining, gate, delivering, studio, headers
):
    client = written_client(suggesting, recording, refining, delivering, deadline_s=0.001)
    late = client.post("/predict", json=body(task(), task(2, image="gone")), headers=headers).json
    gate.opened.set()
    while len(studio.of(1)) < 3:
        delivering._closing.wait(0.01)

    assert late["results"] == [[], []]
    assert [p["result"][0]["meta"]["rank"] for p in studio.of(1)] == [2, 1, 0]


def test_several_tasks_of_label_studio_are_stored_by_us_and_those_of_another_program_are_told(
    suggesting, recording, refining, gate, delivering, studio
):
    gate.opened.set()
    client = written_client(suggesting, recording, refining, delivering, deadline_s=60)
    asked = body(task(), task(2))

    told = client.post("/predict", json=asked).json["results"]
    stored = client.post("/predict", json=asked, headers=HEARTEX).json["results"]
    until_nothing_is_owed(delivering)

    assert [len(entry) for entry in told] == [3, 3]
    assert stored == [[], []]
    assert [{**p, "id": 0} for p in studio.of(2)] == [{"id": 0, "task": 2, **p} for p in told[1]]
    metrics_now = metrics(client)
    assert metrics_now['ris_tasks_total{outcome="alternatives"}'] == 4
    assert 'ris_tasks_total{outcome="empty"}' not in metrics_now


def test_one_task_of_label_studio_is_told_once_and_then_on_its_way(
    suggesting, recording, refining, gate, delivering, studio
):
    gate.opened.set()
    client = written_client(suggesting, recording, refining, delivering, deadline_s=0.5)
    suggesting.suggest([Task(1, "1.1700000000", "squares", "the red")], deadline_s=60)

    answers = [client.post("/predict", json=body(task()), headers=HEARTEX).json for _ in range(2)]

    assert [len(answer["results"][0]) for answer in answers] == [3, 0]
    assert studio.of(1) == []
    assert metrics(client)["ris_deliveries_owed"] == 1


def test_a_stop_while_the_networks_load_answers_what_waits(backend, suggesting, refining, gate):
    app = create_app(backend)
    answers = {}
    point = {"params": {"context": {"result": [KEYPOINT]}}, "label_config": read("pick_brush_smart.xml")}
    asked = {"tasks": body(task()), "a click": body(task()) | point}
    waiting = [
        threading.Thread(
            target=lambda k=name: answers.update({k: app.test_client().post("/predict", json=asked[k])})
        )
        for name in asked
    ]
    for thread in waiting:
        thread.start()
    while suggesting.worker.n_waiting < 2:  # both, and the networks are still being loaded
        gate.opened.wait(0.01)
    suggesting.worker.reject_jobs()
    for thread in waiting:
        thread.join()

    assert not gate.opened.is_set()
    assert (answers["tasks"].status_code, answers["tasks"].json["results"]) == (200, [[]])
    assert (answers["a click"].status_code, answers["a click"].json["error"]) == (
        503, "the server is stopping; ask again when it is back",
    )  # fmt: skip


def test_health_and_setup_answer_while_a_prediction_waits(backend, gate):
    app = create_app(backend)
    answers = []
    waiting = threading.Thread(
        target=lambda: answers.append(app.test_client().post("/predict", json=body(task())).json)
    )
    waiting.start()

    assert app.test_client().get("/health").status_code == 200
    assert app.test_client().post("/setup", json={"project": "1.2", "schema": CONFIG}).status_code == 200
    assert answers == []
    gate.opened.set()
    waiting.join(60)
    assert len(answers[0]["results"][0]) == 3


def test_start_training_starts_a_training_every_time(suggesting, recording, refining):
    started = []
    backend = Services(
        suggesting, recording, refining, deadline_s=9, start_training=lambda: started.append(1) or True
    )
    client = create_app(backend).test_client()
    body = {"action": "START_TRAINING", "project": {"id": 1, "created_at": "2026-01-01T00:00:00Z"}}

    assert [client.post("/webhook", json=body).status_code for _ in range(2)] == [201, 200]

    assert started == [1, 1]


KEYPOINT = {
    "type": "keypointlabels", "original_width": 32, "original_height": 32, "is_positive": True, "id": "k",
    "value": {"x": 15, "y": 15, "keypointlabels": ["Referent"]},
}  # fmt: skip


def interactive(client, *regions):
    answer = client.post("/predict", json=body(task(1), params={"context": {"result": list(regions)}}))
    assert answer.status_code == 200, answer.json
    (result,) = answer.json["results"]
    return result


def test_a_click_gives_one_mask_as_one_dict(client, gate):
    gate.opened.set()
    client.post("/predict", json=body(task(1)))

    result = interactive(client, KEYPOINT)

    (region,) = result["result"]
    assert region["type"] == "brushlabels"
    assert region["value"]["brushlabels"] == ["Referent"]
    assert "-fixed" in region["id"]
    assert region["meta"]["text"] == ["1st, fixed"]
    assert result["model_version"] == "fake-1"


def test_typed_words_give_all_alternatives_in_one_dict(client, gate):
    gate.opened.set()

    result = interactive(client, {"type": "textarea", "id": "t", "value": {"text": ["the blue"]}})

    assert [region["meta"]["rank"] for region in result["result"]] == [0, 1, 2]
    assert {region["origin"] for region in result["result"]} == {"prediction"}


def test_words_and_clicks_that_are_not_ready_in_time_are_one_sentence(suggesting, recording, refining):
    client = create_app(
        Services(suggesting, recording, refining, deadline_s=0.05, start_training=lambda: True)
    ).test_client()
    click = {
        "type": "keypointlabels", "original_width": 32, "original_height": 32, "to_name": "image",
        "value": {"x": 20, "y": 20, "width": 1},
    }  # fmt: skip
    typed = {"type": "textarea", "value": {"text": ["the red"]}}

    for region in (click, typed):
        asked = body(task(1), params={"context": {"result": [region]}})
        answer = client.post("/predict", json=asked)
        assert answer.status_code == 503
        assert "within 0.05 s" in answer.json["error"]


SMART = read("pick_brush_smart.xml")
LABEL_STUDIO = {"User-Agent": "heartex/1.23.2"}


def notices(answer):
    regions = answer.json["results"][0]["result"]
    return {r["from_name"]: r["value"]["choices"] for r in regions if r["to_name"].startswith("notice_")}


def ask_smart(client, *regions, **headers):
    request = body(task(1), params={"context": {"result": list(regions)}}, label_config=SMART)
    return client.post("/predict", json=request, headers=headers)


def test_a_click_that_gives_no_mask_shows_a_notice_and_is_removed(client, gate):
    gate.opened.set()

    answer = ask_smart(client, KEYPOINT | {"value": {"x": 1, "y": 1}})

    assert notices(answer) == {"removed": ["shown"], "nothing_found": ["shown"], "no_answer": []}
    assert [r["id"] for r in answer.json["results"][0]["result"]][:2] == ["k", "k-removed"]


def test_a_click_that_gives_a_mask_hides_all_notices(client, gate):
    gate.opened.set()

    answer = ask_smart(client, KEYPOINT)

    assert answer.json["results"][0]["result"][0]["type"] == "brushlabels"
    assert notices(answer) == {"nothing_found": [], "no_answer": []}


def test_the_editor_gets_a_notice_for_an_error_and_other_clients_get_the_error(client, gate):
    gate.opened.set()
    of_another_size = KEYPOINT | {"original_width": 99}

    answer = ask_smart(client, of_another_size, **LABEL_STUDIO)

    assert notices(answer) == {"removed": ["shown"], "nothing_found": [], "no_answer": ["shown"]}
    assert ask_smart(client, of_another_size).status_code == 400


def test_an_interactive_request_that_says_nothing_is_a_sentence(client, gate):
    gate.opened.set()
    answer = client.post("/predict", json=body(task(1), params={"context": {"result": []}}))

    assert answer.status_code == 400
    assert "needs a click, a box, a brush stroke or typed text" in answer.json["error"]


TYPE = read("type_brush.xml")


def typed_answer(words, *more, number=1, hour=1):
    said = {
        "id": "t", "from_name": "expression", "to_name": "image", "type": "textarea",
        "value": {"text": [words]},
    }  # fmt: skip
    gone = {"id": "p", "from_name": "pick", "to_name": "image", "type": "choices"}
    return {
        "action": "ANNOTATION_CREATED",
        "annotation": {
            "id": number, "result": [said, gone | {"value": {"choices": ["no such thing"]}}, *more],
            "updated_at": f"2026-01-02T{hour:02d}:00:00Z",
        },
        "task": {"id": number, "data": {"image": "squares"}},
        "project": {"id": 1, "created_at": "2023-11-14T22:13:20Z", "label_config": TYPE},
    }  # fmt: skip


def test_words_that_are_kept_are_there_with_the_next_image(client, gate):
    gate.opened.set()
    keep = {
        "id": "k", "from_name": "keep", "to_name": "image", "type": "choices",
        "value": {"choices": ["keep the expression for the next image"]},
    }  # fmt: skip
    asked = body({"id": 9, "data": {"image": "squares"}}, label_config=TYPE)
    client.post("/setup", json={"project": "1.1700000000", "schema": TYPE})
    before = client.post("/predict", json=asked).json["results"]

    client.post("/webhook", json=typed_answer("the red", keep))
    ((kept,),) = client.post("/predict", json=asked).json["results"]
    client.post("/webhook", json=typed_answer("the blue", number=2, hour=0))
    ((late,),) = client.post("/predict", json=asked).json["results"]
    client.post("/webhook", json=typed_answer("the blue", number=3, hour=2))

    assert before == [[]]
    assert kept["result"][-2]["value"] == {"text": ["the red"]}
    assert len(kept["result"]) == 5
    assert late == kept  # an earlier answer that arrives later changes nothing
    assert client.post("/predict", json=asked).json["results"] == [[]]

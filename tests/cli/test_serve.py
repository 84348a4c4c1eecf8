"""The server as a process: what was begun when it is told to stop is answered, in full or with a refusal."""

import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from ris.cli.server_process import ServerProcess
from ris.label_config import read
from ris.store.session import Database, read_revision, upgrade_database
from ris.tinyworld.samples import make_samples
from tests.builders.postgres import new_database
from tests.live.support.backend_server import BackendServer
from tests.live.support.process import find_free_port

pytestmark = pytest.mark.program

ROOT = Path(__file__).parents[2]


def post(url, body):
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=600) as answer:
        return json.load(answer)


def is_begun(url):
    with urllib.request.urlopen(f"{url}/metrics", timeout=600) as answer:
        return "\nris_tasks_waiting 1.0\n" in answer.read().decode()


def test_a_server_that_is_told_to_stop_while_its_networks_load_answers_and_ends_without_a_word(tmp_path):
    sample = make_samples(1)[0]
    image = "data:image/png;base64," + base64.b64encode(sample.png).decode()
    body = {
        "tasks": [{"id": 1, "data": {"image": image, "expression": sample.expression}}],
        "project": "1.1", "label_config": read("tabs_brush.xml"),
    }  # fmt: skip
    answers = []
    with BackendServer(tmp_path, "http://127.0.0.1:1") as server:
        asking = threading.Thread(target=lambda: answers.append(post(f"{server.url}/predict", body)))
        asking.start()
        while not is_begun(server.url):
            time.sleep(0.01)
        process = server._server._process
        process.send_signal(signal.SIGTERM)
        asking.join()
        status = process.wait()

    lines = [json.loads(line) for line in (tmp_path / "backend.log").read_text().splitlines()]
    (answered,) = [line for line in lines if line["message"].startswith("POST /predict 200")]
    computed = [line for line in lines if "3 alternatives" in line["message"]]
    assert answered["request_id"] in {line["request_id"] for line in computed} or not computed
    # A busy machine may not have loaded them within the time that a stop leaves: then it is refused.
    assert [len(result) for result in answers[0]["results"]] == ([3] if computed else [0])
    assert status == 0
    assert {line["level"] for line in lines} == {"INFO"}


@pytest.mark.parametrize(("key", "is_told"), [("", True), ("0" * 40, False)])
def test_a_server_without_a_key_says_so_at_its_start(tmp_path, key, is_told):
    port = find_free_port()
    env = {k: v for k, v in os.environ.items() if not k.startswith("RIS_")} | {
        "PYTHONPATH": str(ROOT / "backend"), "RIS_LABEL_STUDIO_API_KEY": key,
        "RIS_LABEL_STUDIO_URL": "http://127.0.0.1:9", "RIS_PRESET": "classical",
    }  # fmt: skip
    server = ServerProcess(
        "the backend", [sys.executable, "-m", "ris", "serve", "--upgrade", "--port", str(port)], env=env,
        health_url=f"http://127.0.0.1:{port}/health", log=tmp_path / "log", folder=tmp_path,
    )  # fmt: skip
    server.start(timeout_s=120)
    server.stop()

    sentence = "RIS_LABEL_STUDIO_API_KEY is not set: images uploaded to Label Studio cannot be read"
    assert (sentence in (tmp_path / "log").read_text()) == is_told


def test_a_stop_while_the_database_is_upgraded_ends_the_process_and_takes_back_what_was_begun(
    postgres, tmp_path
):
    """As in a container, where the same process upgrades and serves."""
    url = new_database(postgres)
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.connect() as other, (tmp_path / "log").open("w") as log:
        other.execute(text("CREATE TABLE event (x INTEGER)"))  # not committed: the upgrade waits for it
        command = [sys.executable, "-m", "ris", "serve", "--upgrade", "--port", str(find_free_port())]
        env = os.environ | {"RIS_DATABASE_URL": url, "PYTHONPATH": str(ROOT / "backend")}
        server = subprocess.Popen(command, env=env, cwd=tmp_path, stderr=log)
        wait_for_one_that_waits(engine, server)
        server.send_signal(signal.SIGTERM)
        status = server.wait(60)
        other.rollback()
    engine.dispose()

    assert status == 143
    assert (tmp_path / "log").read_text() == "ris: stopped by SIGTERM before it was done\n"
    assert read_revision(url) is None
    upgrade_database(url)
    Database.open(url).close()


def wait_for_one_that_waits(engine, server):
    """Until a session of the database waits for a lock; the process must still run."""
    while server.poll() is None:
        with engine.connect() as connection:
            asked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            if connection.execute(text(asked)).scalar():
                return
        time.sleep(0.1)
    raise AssertionError(f"the server ended by itself, with {server.returncode}")

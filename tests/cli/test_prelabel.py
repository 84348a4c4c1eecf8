"""`ris prelabel` on a file of tasks, killed without warning and run again."""

import base64
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import func, select

from ris import label_config
from ris.store.schema import TaskRow
from ris.store.session import Database
from ris.tinyworld.samples import make_samples
from tests.builders.command_line import ROOT, assert_one_sentence, ris

pytestmark = pytest.mark.program


def tasks_file(folder, count):
    tasks = []
    for sample in make_samples(count, seed=31):
        image = "data:image/png;base64," + base64.b64encode(sample.png).decode()
        tasks += [
            {"data": {"image": image, "expression": words}} for words in (sample.expression, "the left one")
        ]
    (folder / "tasks.json").write_text(json.dumps(tasks))
    return len(tasks)


def suggested(folder):
    database = Database.open(f"sqlite:///{folder / 'ris.db'}")
    with database.begin() as session:
        found = session.scalar(select(func.count()).select_from(TaskRow))
    database.close()
    return found


@pytest.mark.parametrize("engine", ["local", "ray"])
def test_after_a_kill_nothing_is_done_twice_and_nothing_is_missing(tmp_path, engine):
    count = tasks_file(tmp_path, 8)
    ris("db", "upgrade", folder=tmp_path)
    env = {k: v for k, v in os.environ.items() if not k.startswith("RIS_")} | {
        "PYTHONPATH": str(ROOT / "backend")
    }
    arguments = ["prelabel", "--tasks", "tasks.json", "--shard-images", "1", "--engine", engine]
    running = subprocess.Popen(
        [sys.executable, "-m", "ris", *arguments],
        cwd=tmp_path, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    while suggested(tmp_path) < 4:
        assert running.poll() is None
        time.sleep(0.05)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    before = suggested(tmp_path)

    ran = ris(*arguments, "--out", "out.json", folder=tmp_path)

    assert 4 <= before < count
    assert before % 2 == 0  # the tasks of an image are stored together or not at all
    (done,) = re.findall(rf"{count} tasks, (\d+) of them done before, \d+ to do", ran.stdout)
    assert before <= int(done) <= before + 2 * 2  # one or two shards that were written and not stored
    assert not (tmp_path / "ris-prelabel").exists()
    assert suggested(tmp_path) == count
    written = json.loads((tmp_path / "out.json").read_text())
    assert [task["id"] for task in written] == list(range(1, count + 1))
    assert all(len(task["predictions"]) == 1 and task["predictions"][0]["result"] for task in written)
    assert "0 to do" in ris("prelabel", "--tasks", "tasks.json", folder=tmp_path).stdout


@pytest.mark.parametrize(
    ("arguments", "pattern"),
    [
        ((), "name the tasks with --project NUMBER or with --tasks FILE"),
        (("--tasks", "none.json"), "none.json is not a file of tasks: .*cannot be read: FileNotFoundError"),
        (("--tasks", "t.json", "--push"), "--push stores predictions in a project"),
        (("--tasks", "t.json", "--config", "none"), "there is no label config 'none'"),
    ],
)
def test_what_cannot_be_is_one_sentence(tmp_path, arguments, pattern):
    (tmp_path / "t.json").write_text("[]")

    assert_one_sentence(ris("prelabel", *arguments, folder=tmp_path), pattern)


def test_a_folder_of_pictures_with_a_table_needs_no_server(tmp_path):
    folder = tmp_path / "shop"
    (folder / "in").mkdir(parents=True)
    sample = make_samples(1, seed=31)[0]
    for path in (folder / "in" / "a b.png", tmp_path / "secret.png"):
        path.write_bytes(sample.png)
    rows = [f"{name};{sample.expression}" for name in ("in\\a b.png", "../secret.png")]
    (folder / "captions.csv").write_text("\n".join(["image;expression", *rows, "in/a b.png;"]))
    ris("db", "upgrade", folder=tmp_path)

    ran = ris(
        "prelabel", "--tasks", "shop", "--out", "out.json", folder=tmp_path,
        RIS_LABEL_STUDIO_URL="http://127.0.0.1:9",
    )  # fmt: skip

    assert ran.returncode == 1
    last = "ris: 1 of 2 tasks have no suggestions; the table above gives the reasons"
    assert ran.stderr.splitlines()[-1] == last
    written = json.loads((tmp_path / "out.json").read_text())
    assert [len(task["predictions"]) for task in written] == [1, 0]
    assert "2 tasks, 0 of them done before, 2 to do" in ran.stdout
    assert re.search(r"2 images, \d+\.\d\d a second; the networks waited \d+\.\d% of their time", ran.stdout)
    assert "left out: 1 (captions.csv, row 4): its expression is empty" in ran.stdout
    assert "1 tasks have no suggestions" in ran.stdout


def test_a_stored_suggestion_is_never_computed_again_so_there_is_no_option_for_it(tmp_path):
    ran = ris("prelabel", "--tasks", "tasks.json", "--resume", folder=tmp_path)

    assert ran.returncode == 2
    assert "No such option: --resume" in ran.stderr


def test_a_run_in_which_every_task_failed_ends_with_1(tmp_path):
    (tmp_path / "tasks.json").write_text(json.dumps([{"data": {"image": "a.png", "expression": ""}}]))
    ris("db", "upgrade", folder=tmp_path)

    ran = ris("prelabel", "--tasks", "tasks.json", "--out", "out.json", folder=tmp_path)

    assert_one_sentence(ran, "1 of 1 tasks have no suggestions")
    assert [task["id"] for task in json.loads((tmp_path / "out.json").read_text())] == [1]


class RefusingStudio(ThreadingHTTPServer):
    """A Label Studio with a usable task and one without an expression, that refuses predictions."""

    def __init__(self, sample):
        super().__init__(("127.0.0.1", 0), RefusingHandler)
        image = "data:image/png;base64," + base64.b64encode(sample.png).decode()
        self.tasks = [
            {"id": 1, "data": {"image": image, "expression": sample.expression}, "total_predictions": 0},
            {"id": 2, "data": {"image": image, "expression": ""}, "total_predictions": 0},
        ]
        self.project = {
            "id": 3, "created_at": "2026-01-02T03:04:05Z",
            "label_config": label_config.read("pick_brush.xml"),
        }  # fmt: skip
        threading.Thread(target=self.serve_forever, daemon=True).start()


class RefusingHandler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        found = {"/api/tasks": {"tasks": self.server.tasks, "total": 2}, "/api/ml": [{"id": 1}]}
        self.answer(200, found.get(self.path.partition("?")[0], self.server.project))

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(400, {"detail": "no predictions today"})

    def answer(self, status, body):
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def test_a_refused_push_ends_after_the_file_and_the_table_of_failed_tasks(tmp_path):
    studio = RefusingStudio(make_samples(1, seed=31)[0])
    ris("db", "upgrade", folder=tmp_path)

    ran = ris(
        "prelabel", "--project", "3", "--push", "--out", "out.json", folder=tmp_path,
        RIS_LABEL_STUDIO_URL=f"http://127.0.0.1:{studio.server_port}", RIS_LABEL_STUDIO_API_KEY="a" * 40,
    )  # fmt: skip
    studio.shutdown()

    assert ran.returncode == 1
    assert "ris: Label Studio did not confirm the predictions of 1 tasks" in ran.stderr
    assert "1 tasks have no suggestions" in ran.stdout
    written = json.loads((tmp_path / "out.json").read_text())
    assert [len(task.get("predictions", ())) for task in written] == [1, 0]

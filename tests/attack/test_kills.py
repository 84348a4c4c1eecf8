"""A server that is killed while predictions are completed: what is stored is whole, the rest is made."""

import base64
import contextlib
import os
import random
import signal
import threading
import time

import pytest
from sqlalchemy import text

from ris.label_config import read
from ris.store.session import Database
from ris.tinyworld.samples import make_samples
from tests.attack.sending import send
from tests.live.support.backend_server import BackendServer

pytestmark = pytest.mark.attack
KILLS, N_TASKS, PROJECT = 3, 4, "1.1"


def make_bodies():
    """One request for each kill, with tasks of its own."""
    tasks = [
        {"id": n, "data": {"image": "data:image/png;base64," + base64.b64encode(s.png).decode(),
                           "expression": s.expression}}
        for n, s in enumerate(make_samples(KILLS * N_TASKS), start=1)
    ]  # fmt: skip
    parts = [tasks[start : start + N_TASKS] for start in range(0, len(tasks), N_TASKS)]
    return [{"tasks": part, "project": PROJECT, "label_config": read("tabs_brush.xml")} for part in parts]


def test_predictions_that_are_completed_between_kills_are_whole_or_absent(tmp_path):
    rng, seen, bodies = random.Random(7), [], make_bodies()
    server = BackendServer(tmp_path, "http://127.0.0.1:1")
    with server:
        database = Database.open(server.database_url)
        for body in bodies:
            n_before = count_whole(database)
            asking = threading.Thread(target=ask_until_killed, args=(server.port, body))
            asking.start()
            wait_until(lambda n=n_before: count_whole(database) > n)
            time.sleep(rng.uniform(0, 0.3))
            os.killpg(server._server._process.pid, signal.SIGKILL)
            asking.join()
            server.stop()
            seen.append(count_whole(database))
            server.start()
        numbers = [ask_until_complete(server.port, body) for body in bodies]
        n_whole = count_whole(database)
        database.close()

    assert seen == sorted(set(seen))
    assert numbers == [[3] * N_TASKS] * KILLS
    assert n_whole == KILLS * N_TASKS


def ask_until_killed(port, body):
    with contextlib.suppress(OSError, ValueError):
        send(port, "POST", "/predict", body)


def ask_until_complete(port, body):
    """Return the number of suggestions of each task; a slow machine may need more than one deadline."""
    while True:
        _, answer, _ = send(port, "POST", "/predict", body)
        if all(answer["results"]):
            return [len(one) for one in answer["results"]]


def wait_until(is_true):
    while not is_true():
        time.sleep(0.02)


def count_whole(database):
    """Count the tasks that are stored; each must have all its suggestions."""
    with database.begin() as session:
        counts = session.execute(
            text("SELECT task.task_id, count(suggestion.id) FROM task LEFT JOIN suggestion "
                 "ON suggestion.task = task.id GROUP BY task.task_id")
        ).all()  # fmt: skip
    assert {n for _, n in counts} <= {3}
    return len(counts)

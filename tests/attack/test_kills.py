"""A server that is killed or stopped while predictions are completed: what is stored is whole."""

import os
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from ris.store.session import Database
from tests.attack.predicting import ask_until_complete, ask_until_stopped, count_whole, make_bodies
from tests.attack.sending import wait_until
from tests.live.support.backend_server import BackendServer

pytestmark = pytest.mark.attack
KILLS, N_TASKS = 3, 4


def test_predictions_that_are_completed_between_kills_are_whole_or_absent(tmp_path):
    rng, seen, bodies = random.Random(7), [], make_bodies(KILLS, N_TASKS)
    server = BackendServer(tmp_path, "http://127.0.0.1:1")
    with server, ThreadPoolExecutor(1) as pool:
        database = Database.open(server.database_url)
        for body in bodies:
            n_before = count_whole(database)
            asked = pool.submit(ask_until_stopped, server.port, body)
            wait_until(lambda n=n_before: count_whole(database) > n)
            time.sleep(rng.uniform(0, 0.3))
            os.killpg(server._server._process.pid, signal.SIGKILL)
            asked.result()
            server.stop()
            seen.append(count_whole(database))
            server.start()
        numbers = [ask_until_complete(server.port, body) for body in bodies]
        n_whole = count_whole(database)
        database.close()

    assert seen == sorted(set(seen))
    assert numbers == [[3] * N_TASKS] * KILLS
    assert n_whole == KILLS * N_TASKS


def test_a_stop_signal_answers_the_predictions_under_way_and_loses_none(tmp_path):
    n_tasks = 20
    (body,) = make_bodies(1, n_tasks)
    server = BackendServer(tmp_path, "http://127.0.0.1:1")
    with server, ThreadPoolExecutor(1) as pool:
        database = Database.open(server.database_url)
        asked = pool.submit(ask_until_stopped, server.port, body)
        wait_until(lambda: count_whole(database) > 0)
        process = server._server._process
        process.send_signal(signal.SIGTERM)
        exit_code = process.wait()
        status, answer, _ = asked.result()
        n_whole = count_whole(database)
        server.start()
        numbers = ask_until_complete(server.port, body)
        n_in_the_end = count_whole(database)
        database.close()

    n_answered = sum(len(one) == 3 for one in answer["results"])
    assert (exit_code, status, len(answer["results"])) == (0, 200, n_tasks)
    assert {len(one) for one in answer["results"]} <= {0, 3}
    assert 0 < n_answered <= n_whole
    assert (numbers, n_in_the_end) == ([3] * n_tasks, n_tasks)

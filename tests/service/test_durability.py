"""A server that is killed in the middle of a stream of webhooks loses nothing that it has answered."""

import itertools
import json
import os
import random
import signal
import threading
import time
import urllib.error
import urllib.request

from ris.store.history import read_decisions
from ris.store.inbox import count_events
from ris.store.session import Database
from tests.builders.events import box, event
from tests.live.support.backend_server import BackendServer

SENDERS, KILLS = 4, 3


class Sender(threading.Thread):
    """Posts new events one after the other until the server is gone; keeps what was answered."""

    def __init__(self, url, numbers):
        super().__init__()
        self.url, self.numbers, self.answered = url, numbers, []

    def run(self):
        while True:
            number = next(self.numbers)
            body = json.dumps(event([box(20)], number=number)).encode()
            request = urllib.request.Request(
                f"{self.url}/webhook", body, {"Content-Type": "application/json"}
            )
            try:
                with urllib.request.urlopen(request, timeout=600) as answer:
                    assert answer.status == 201
            except OSError:
                return
            self.answered.append(number)


def killed_in_the_middle(server, numbers, n_answered):
    """Send from several sides, kill without warning; the numbers of the events that were answered."""
    senders = [Sender(server.url, numbers) for _ in range(SENDERS)]
    for sender in senders:
        sender.start()
    while sum(len(sender.answered) for sender in senders) < n_answered:
        assert any(sender.is_alive() for sender in senders)
        time.sleep(0.002)
    os.killpg(server._server._process.pid, signal.SIGKILL)
    for sender in senders:
        sender.join()
    server.stop()
    return [number for sender in senders for number in sender.answered]


def test_what_was_answered_survives_any_number_of_kills(tmp_path):
    numbers, rng, answered = itertools.count(1), random.Random(5), []
    server = BackendServer(tmp_path, "http://127.0.0.1:1")
    with server:
        for _ in range(KILLS):
            answered += killed_in_the_middle(server, numbers, rng.randint(10, 120))
            server.start()
        database = Database.open(server.database_url)
        while True:
            with database.begin() as session:
                counts = count_events(session)
                kept = [d.correction.annotation.annotation_id for d in read_decisions(session)]
            if not counts["new"]:
                break
            time.sleep(0.2)
        database.close()

    assert len(answered) > 20
    assert set(answered) <= set(kept)
    assert len(kept) == len(set(kept)) == counts["done"]
    assert (counts["new"], counts["failed"]) == (0, 0)

"""A server that is killed during a stream of webhooks loses no event that it has answered."""

import itertools
import json
import os
import queue
import random
import signal
import threading
import urllib.request

import pytest

from ris.service import RecordingService
from ris.store.history import read_decisions
from ris.store.inbox import count_events
from ris.store.session import Database
from tests.builders.events import box, event
from tests.builders.services import NOW
from tests.live.support.backend_server import BackendServer

pytestmark = pytest.mark.program

SENDERS, KILLS = 4, 3


class Sender(threading.Thread):
    """Posts new events one after the other until the server is gone.

    Puts the number of each answered event into a queue, and None at the end.
    """

    def __init__(self, url, numbers, answered):
        super().__init__()
        self.url, self.numbers, self.answered = url, numbers, answered

    def run(self):
        try:
            while True:
                self.answered.put(self.send(next(self.numbers)))
        except OSError:
            pass
        finally:
            self.answered.put(None)

    def send(self, number):
        body = json.dumps(event([box(20)], number=number)).encode()
        request = urllib.request.Request(f"{self.url}/webhook", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=600) as answer:
            assert answer.status == 201
        return number


def killed_in_the_middle(server, numbers, n_answered):
    """Send from several threads, kill without warning; return the numbers of the answered events."""
    answered = queue.SimpleQueue()
    senders = [Sender(server.url, numbers, answered) for _ in range(SENDERS)]
    for sender in senders:
        sender.start()
    found = [answered.get() for _ in range(n_answered)]
    assert None not in found
    os.killpg(server._server._process.pid, signal.SIGKILL)
    for sender in senders:
        sender.join()
    server.stop()
    while not answered.empty():
        found.append(answered.get())
    return [number for number in found if number is not None]


def test_what_was_answered_survives_any_number_of_kills(tmp_path):
    numbers, rng, answered = itertools.count(1), random.Random(5), []
    server = BackendServer(tmp_path, "http://127.0.0.1:1")
    with server:
        for _ in range(KILLS):
            answered += killed_in_the_middle(server, numbers, rng.randint(10, 120))
            server.start()
    database = Database.open(server.database_url)
    recording = RecordingService(database, now=lambda: NOW)
    while recording.process_events():  # what the server had not processed when it stopped
        pass
    with database.begin() as session:
        counts = count_events(session)
        kept = [d.correction.annotation.annotation_id for d in read_decisions(session)]
    database.close()

    assert len(answered) > 20
    assert set(answered) <= set(kept)
    assert len(kept) == len(set(kept)) == counts["done"]
    assert (counts["new"], counts["failed"]) == (0, 0)

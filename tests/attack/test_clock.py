"""A clock that is set back and forth under load: nothing waits for a time that has passed."""

from pathlib import Path

import pytest

from ris.store.inbox import count_events
from ris.store.session import Database
from tests.attack import shifted_clock
from tests.attack.predicting import ask_until_complete, count_whole, make_bodies
from tests.attack.sending import send_until_kept, wait_until
from tests.live.support.backend_server import BackendServer

pytestmark = pytest.mark.attack
N_EVENTS, N_TASKS = 30, 1
DAYS = (0, -900, 900, -900, 0)


def test_events_and_predictions_go_on_whatever_the_clock_says(tmp_path):
    days, bodies = tmp_path / "days", make_bodies(len(DAYS), N_TASKS)
    days.write_text("0")
    program = (str(Path(shifted_clock.__file__)), str(days))
    with BackendServer(tmp_path / "backend", "http://127.0.0.1:1", program=program) as server:
        database, numbers = Database.open(server.database_url), []
        for turn, one in enumerate(DAYS):
            (tmp_path / "new").write_text(str(one))
            (tmp_path / "new").replace(days)
            send_until_kept(server.port, range(turn * N_EVENTS, (turn + 1) * N_EVENTS))
            numbers.append(ask_until_complete(server.port, bodies[turn]))
        wait_until(lambda: not count(database)["new"])
        counts, n_whole = count(database), count_whole(database)
        database.close()

    assert counts == {"new": 0, "done": len(DAYS) * N_EVENTS, "failed": 0}
    assert numbers == [[3] * N_TASKS] * len(DAYS)
    assert n_whole == len(DAYS) * N_TASKS


def count(database):
    with database.begin() as session:
        return dict(count_events(session))

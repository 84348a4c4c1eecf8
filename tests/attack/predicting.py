"""Requests for predictions of drawn scenes, and what of them is stored."""

import base64
import contextlib

from sqlalchemy import text

from ris.label_config import read
from ris.tinyworld.samples import make_samples
from tests.attack.sending import send


def make_bodies(number, n_tasks):
    """Make requests with tasks of their own."""
    tasks = [
        {"id": n, "data": {"image": "data:image/png;base64," + base64.b64encode(s.png).decode(),
                           "expression": s.expression}}
        for n, s in enumerate(make_samples(number * n_tasks), start=1)
    ]  # fmt: skip
    parts = [tasks[start : start + n_tasks] for start in range(0, len(tasks), n_tasks)]
    return [{"tasks": part, "project": "1.1", "label_config": read("tabs_brush.xml")} for part in parts]


def ask_until_stopped(port, body):
    """Request predictions of a server that ends meanwhile; return its answer, or None without one."""
    with contextlib.suppress(OSError, ValueError):
        return send(port, "POST", "/predict", body)
    return None


def ask_until_complete(port, body):
    """Return the number of suggestions of each task; a slow machine may need more than one deadline."""
    while True:
        _, answer, _ = send(port, "POST", "/predict", body)
        if all(answer["results"]):
            return [len(one) for one in answer["results"]]


def count_whole(database):
    """Count the tasks that are stored; each must have all its suggestions."""
    with database.begin() as session:
        counts = session.execute(
            text("SELECT task.task_id, count(suggestion.id) FROM task LEFT JOIN suggestion "
                 "ON suggestion.task = task.id GROUP BY task.task_id")
        ).all()  # fmt: skip
    assert {n for _, n in counts} <= {3}
    return len(counts)

"""Webhook bodies, as Label Studio sends them."""

from ris.label_config import read
from ris.store.history import read_decisions

PROJECT = {"id": 1, "created_at": "2023-11-14T22:13:20Z"}  # 1.1700000000


def event(result, number=1, seconds=0, config="tabs_brush.xml", action="ANNOTATION_CREATED", **more):
    return {
        "action": action,
        "annotation": {
            "id": number, "updated_at": f"2026-01-01T00:00:{seconds:02d}Z", "result": result,
            "was_cancelled": False, "completed_by": 1, "lead_time": 2.0, **more,
        },
        "task": {"id": 1, "data": {"image": "squares", "expression": "the red"}},
        "project": PROJECT | {"label_config": read(config), "token": "secret"},
    }  # fmt: skip


def process(recording, database, *events):
    """Record events, process them, and read the record."""
    for body in events:
        recording.record(body)
    while recording.process_events():
        pass
    with database.begin() as session:
        return [d.correction for d in read_decisions(session)]


def box(x):
    """A rectangle of an annotator; later ones are further right."""
    value = {"x": x, "y": 10, "width": 20, "height": 20, "rotation": 0}
    return {
        "id": f"r{x}",
        "type": "rectanglelabels",
        "original_width": 32,
        "original_height": 32,
        "value": value,
    }

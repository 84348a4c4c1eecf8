"""Webhooks as Label Studio sends them."""

from ris.label_config import read
from ris.labelstudio.masks import brush
from tests.builders.masks import rectangle

MASK = rectangle((20, 30), 3, 4, 15, 12)
REGION = {
    "id": "ris-0", "type": "brushlabels", "from_name": "mask", "to_name": "image", "origin": "prediction",
    "original_height": 20, "original_width": 30, "image_rotation": 0, "meta": {"rank": 0},
    "value": {"format": "rle", "rle": brush.encode_brush(MASK), "brushlabels": ["Referent"]},
}  # fmt: skip


def annotation(number=22, **more):
    return {
        "id": number, "unique_id": "0954f131", "task": 373, "project": 9, "completed_by": 1,
        "was_cancelled": False, "lead_time": 2.341, "updated_at": "2026-11-21T00:21:31.364195Z",
        "created_at": "2026-11-21T00:21:30.1Z",
        "parent_prediction": 610, "prediction": {}, "result": [REGION], **more,
    }  # fmt: skip


def task(number=373):
    return {"id": number, "data": {"image": "/data/upload/9/a.png", "expression": "the left mug"}, "meta": {}}


def body(action="ANNOTATION_CREATED", **more):
    project = {
        "id": 9, "created_at": "2026-11-20T23:59:06.546513Z", "label_config": read("tabs_brush.xml"),
        "token": "owner-token", "task_data_password": "pw", "task_data_login": None,
    }  # fmt: skip
    return {"action": action, "annotation": annotation(), "task": task(), "project": project, **more}

"""The bytes of a request as JSON; those of a /predict request without the masks that its tasks bring along.

Label Studio sends each task with all its earlier predictions, annotations and drafts, up to 250 MB of
run lengths that nobody here reads: they are skipped where they lie, and no objects are made of them.
"""

import json
from typing import Any

import msgspec

from ris.errors import InputError
from ris.labelstudio.mending import mend_json

REFUSED = (msgspec.DecodeError, ValueError, RecursionError)
NOTHING = msgspec.Raw(b"null")


class _Predict(msgspec.Struct):
    tasks: msgspec.Raw = NOTHING
    project: Any = None
    label_config: Any = None
    params: Any = None


class _Task(msgspec.Struct):
    id: Any = None
    data: Any = None


def parse_predict(body: bytes | bytearray) -> object:
    """What `read_tasks` reads of a body: as `json.loads`, with each task's `id` and `data` alone.

    A value that cannot be read, such as half an emoji, is mended by itself (`mend_json`). A task that cannot
    be understood even so is null: it fails by itself, and not those beside it.

    Raises:
        InputError: the body is not JSON.
    """
    try:
        asked = _decode(body)
    except REFUSED as error:
        try:
            asked = _decode(mend_json(body))
        except REFUSED:
            raise InputError(f"the body of /predict must be JSON: {error}") from error
    if not isinstance(asked, _Predict):
        return asked
    return {
        "tasks": _tasks(asked.tasks),
        "project": asked.project,
        "label_config": asked.label_config,
        "params": asked.params,
    }


def parse_body(body: bytes | bytearray, route: str) -> object:
    """The JSON of any other request, with what cannot be read mended as in `parse_predict`.

    Raises:
        InputError: the body is not JSON.
    """
    try:
        return json.loads(body)
    except REFUSED as error:
        try:
            return json.loads(mend_json(body))
        except REFUSED:
            raise InputError(f"the body of {route} must be JSON: {error}") from error


def _decode(body: bytes | bytearray) -> object:
    try:
        return msgspec.json.decode(body, type=_Predict)
    except msgspec.ValidationError:  # no object: what that means is not for here to say
        return msgspec.json.decode(body)


def _tasks(raw: msgspec.Raw) -> object:
    try:
        each = msgspec.json.decode(raw, type=list[msgspec.Raw])
    except msgspec.ValidationError:  # one task by itself, or nothing of that kind
        return _task(raw)
    return [_task(one) for one in each]


def _task(raw: msgspec.Raw) -> object:
    try:
        task = msgspec.json.decode(raw, type=_Task)
    except REFUSED:
        try:
            task = msgspec.json.decode(mend_json(raw), type=_Task)
        except REFUSED:
            return None
    return {"id": task.id, "data": task.data}

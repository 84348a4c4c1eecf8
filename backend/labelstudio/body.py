"""The bytes of a /predict request, without the masks that its tasks bring along.

Label Studio sends each task with all its earlier predictions, annotations and drafts, up to 250 MB of
run lengths that nobody here reads: they are skipped where they lie, and no objects are made of them.
"""

from typing import Any

import msgspec

from backend.errors import InputError

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

    A task that cannot be understood is null: it fails by itself, and not those beside it.

    Raises:
        InputError: the body is not JSON.
    """
    try:
        try:
            asked = msgspec.json.decode(body, type=_Predict)
        except msgspec.ValidationError:  # no object: what that means is not for here to say
            return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InputError(f"the body of /predict must be JSON: {error}") from error
    return {
        "tasks": _tasks(asked.tasks),
        "project": asked.project,
        "label_config": asked.label_config,
        "params": asked.params,
    }


def _tasks(raw: msgspec.Raw) -> object:
    try:
        each = msgspec.json.decode(raw, type=list[msgspec.Raw])
    except msgspec.ValidationError:  # one task by itself, or nothing of that kind
        return _task(raw)
    return [_task(one) for one in each]


def _task(raw: msgspec.Raw) -> object:
    try:
        task = msgspec.json.decode(raw, type=_Task)
    except (msgspec.DecodeError, RecursionError):
        return None
    return {"id": task.id, "data": task.data}

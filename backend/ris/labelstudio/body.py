"""The bytes of a request as JSON; those of a /predict request without the masks that its tasks bring along.

Label Studio sends each task with all its earlier predictions, annotations and drafts, up to 250 MB of
run lengths that nobody here reads: they are skipped where they lie, and no objects are made of them.
"""

import json
from typing import Any

import msgspec

from ris.errors import InputError
from ris.labelstudio.json_mending import mend_json

_JSON_ERRORS = (msgspec.DecodeError, ValueError, RecursionError)
_RAW_NULL = msgspec.Raw(b"null")


class _PredictBody(msgspec.Struct):
    tasks: msgspec.Raw = _RAW_NULL
    project: Any = None
    label_config: Any = None
    params: Any = None


class _TaskFields(msgspec.Struct):
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
        asked = _decode_body(body)
    except _JSON_ERRORS as error:
        try:
            asked = _decode_body(mend_json(body))
        except _JSON_ERRORS:
            raise InputError(f"the body of /predict must be JSON: {error}") from error
    if not isinstance(asked, _PredictBody):
        return asked
    return {
        "tasks": _decode_tasks(asked.tasks),
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
    except _JSON_ERRORS as error:
        try:
            return json.loads(mend_json(body))
        except _JSON_ERRORS:
            raise InputError(f"the body of {route} must be JSON: {error}") from error


def _decode_body(body: bytes | bytearray) -> object:
    try:
        return msgspec.json.decode(body, type=_PredictBody)
    except msgspec.ValidationError:  # no object: what that means is not for here to say
        return msgspec.json.decode(body)


def _decode_tasks(raw: msgspec.Raw) -> object:
    try:
        each = msgspec.json.decode(raw, type=list[msgspec.Raw])
    except msgspec.ValidationError:  # one task by itself, or nothing of that kind
        return _decode_task(raw)
    return [_decode_task(one) for one in each]


def _decode_task(raw: msgspec.Raw) -> object:
    try:
        task = msgspec.json.decode(raw, type=_TaskFields)
    except _JSON_ERRORS:
        try:
            task = msgspec.json.decode(mend_json(raw), type=_TaskFields)
        except _JSON_ERRORS:
            return None
    return {"id": task.id, "data": task.data}

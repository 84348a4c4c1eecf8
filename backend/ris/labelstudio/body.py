"""Parse the bodies of requests. Of /predict the masks that come with its tasks are skipped.

Label Studio sends each task with its earlier predictions, annotations and drafts, up to 250 MB of run lengths
that are not read here. They are skipped in the text, without making objects of them.
"""

import json
from typing import Any

import msgspec

from ris.errors import InputError
from ris.labelstudio.json_mending import mend_json
from ris.redaction.messages import describe_error

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
    """Parse a body of /predict as `json.loads` does, but only `id` and `data` of each task.

    A value that strict JSON refuses, such as half an emoji, is repaired (`mend_json`). A task that cannot be
    parsed even then is None, so that it fails alone.

    Raises:
        InputError: the body is not JSON.
    """
    try:
        request = _decode_body(body)
    except _JSON_ERRORS as error:
        try:
            request = _decode_body(mend_json(body))
        except _JSON_ERRORS:
            raise InputError(f"the body of /predict must be JSON: {describe_error(error)}") from error
    if not isinstance(request, _PredictBody):
        return request
    return {
        "tasks": _decode_tasks(request.tasks),
        "project": request.project,
        "label_config": request.label_config,
        "params": request.params,
    }


def parse_body(body: bytes | bytearray, route: str) -> object:
    """Parse the JSON of any other request; repair what strict JSON refuses, as `parse_predict` does.

    Args:
        body: of the request.
        route: for the message.

    Raises:
        InputError: the body is not JSON.
    """
    try:
        return json.loads(body)
    except _JSON_ERRORS as error:
        try:
            return json.loads(mend_json(body))
        except _JSON_ERRORS:
            raise InputError(f"the body of {route} must be JSON: {describe_error(error)}") from error


def _decode_body(body: bytes | bytearray) -> object:
    try:
        return msgspec.json.decode(body, type=_PredictBody)
    except msgspec.ValidationError:  # no object: the caller refuses it
        return msgspec.json.decode(body)


def _decode_tasks(raw: msgspec.Raw) -> object:
    try:
        each = msgspec.json.decode(raw, type=list[msgspec.Raw])
    except msgspec.ValidationError:  # a single task, or no list
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

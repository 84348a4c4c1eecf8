"""Parse the bodies of requests. Of /predict the masks that come with its tasks are skipped.

Label Studio sends each task with its earlier predictions, annotations and drafts, up to 250 MB of run lengths
that are not read here. They are skipped in the text, without making objects of them.
"""

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from ris.errors import InputError, OversizedError
from ris.labelstudio.json_cost import FREE_BYTES, check_json_cost
from ris.labelstudio.json_mending import MAX_READ_DEPTH, is_too_deep, mend_json
from ris.redaction.messages import describe_error

_JSON_ERRORS = (msgspec.DecodeError, ValueError, RecursionError)
_RAW_NULL = msgspec.Raw(b"null")
MAX_TASKS = 100_000  # of one request; Label Studio sends what was selected


class _PredictBody(msgspec.Struct):
    tasks: msgspec.Raw = _RAW_NULL
    project: Any = None
    label_config: Any = None
    params: Any = None


class _TaskFields(msgspec.Struct):
    id: Any = None
    data: Any = None


_Entry = _TaskFields | list[Any] | str | float | int | bool | None  # all but the first are no tasks


def parse_predict(body: bytes | bytearray) -> object:
    """Parse a body of /predict as `json.loads` does, but only `id` and `data` of each task.

    A value that strict JSON refuses, such as half an emoji, is repaired (`mend_json`). A task that cannot be
    parsed even then is None, so that it fails alone.

    Raises:
        InputError: the body is not JSON.
        OversizedError: it has too many tasks, or values that would take far more memory than its size.
    """
    _check_body(body, "/predict")
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
    """Parse the JSON of any other request, which is UTF-8; repair single values, as `parse_predict` does.

    Args:
        body: of the request.
        route: for the message.

    Raises:
        InputError: the body is not JSON, or is nested too deep.
        OversizedError: its values would take far more memory than its size.
    """
    _check_body(body, route)
    try:
        return json.loads(body.decode("utf-8-sig"))
    except _JSON_ERRORS as error:
        if is_too_deep(body):
            raise InputError(
                f"the body of {route} must be JSON that can be read: it is nested deeper than "
                f"{MAX_READ_DEPTH} levels"
            ) from error
        try:
            return json.loads(mend_json(body))
        except _JSON_ERRORS:
            raise InputError(f"the body of {route} must be JSON: {describe_error(error)}") from error


def _check_body(body: bytes | bytearray, route: str) -> None:
    if not body or body.isspace():
        raise InputError(f"the body of {route} must be JSON: it is empty")
    check_json_cost(body, route)


def _decode_body(body: bytes | bytearray) -> object:
    try:
        return msgspec.json.decode(body, type=_PredictBody)
    except msgspec.ValidationError:  # no object: the caller refuses it
        return msgspec.json.decode(body)


def _decode_tasks(raw: msgspec.Raw) -> object:
    if bytes(memoryview(raw)[:1]) != b"[":
        return _decode_task(raw)
    each = _decode_list(raw)
    if len(each) > MAX_TASKS:
        raise OversizedError(
            f"the body of /predict has {len(each)} tasks; {MAX_TASKS} is the limit: send fewer at a time"
        )
    return [_to_fields(one) if isinstance(one, _TaskFields) else _decode_task(one) for one in each]


def _decode_list(raw: msgspec.Raw) -> Sequence[object]:
    """Decode the tasks; if a value in one of them is refused, leave them as text, to decode each by itself.

    A long text is repaired as a whole instead, because each piece of text is an object too.
    """
    try:
        return msgspec.json.decode(raw, type=list[_Entry])
    except _JSON_ERRORS:
        text = memoryview(raw)
        if len(text) > FREE_BYTES:
            return msgspec.json.decode(mend_json(text), type=list[_Entry])
        return msgspec.json.decode(raw, type=list[msgspec.Raw])


def _decode_task(raw: object) -> object:
    """Decode the text of one task; None if it is no task."""
    if not isinstance(raw, msgspec.Raw):
        return None
    try:
        task = msgspec.json.decode(raw, type=_TaskFields)
    except _JSON_ERRORS:
        try:
            task = msgspec.json.decode(mend_json(raw), type=_TaskFields)
        except _JSON_ERRORS:
            return None
    return _to_fields(task)


def _to_fields(task: _TaskFields) -> dict[str, Any]:
    return {"id": task.id, "data": task.data}

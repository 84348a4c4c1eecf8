"""Fields of Label Studio's JSON: ids, times, and the key of a project."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeGuard

from ris.errors import EventError


def is_id(value: object) -> TypeGuard[int]:
    """Whether a value can be an id of Label Studio's, and a number in our database."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def make_project_key(body: Mapping[str, Any]) -> str:
    """ "<id>.<created_at as whole seconds>": the same string that /setup and /predict send.

    Raises:
        EventError: the event names no project, or not when it was created.
    """
    project = body.get("project")
    if not isinstance(project, dict) or not isinstance(project.get("id"), int):
        raise EventError("the webhook names no project")
    created = parse_time(project.get("created_at"), "the project's created_at")
    return f"{project['id']}.{int(created.timestamp())}"


def parse_time(value: object, what: str) -> datetime:
    """A time as Label Studio writes it, in UTC.

    Raises:
        EventError: it is none; `what` names it in the message.
    """
    try:
        moment = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise EventError(f"{what} is no time: {value!r:.40}") from error


def read_id(fields: Mapping[str, Any], name: str) -> int:
    value = fields.get(name)
    if not is_id(value):
        raise EventError(f"{name} must be a number that an id can be, got {value!r:.40}")
    return int(value)

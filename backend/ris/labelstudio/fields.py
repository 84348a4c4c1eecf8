"""Fields of Label Studio's JSON: ids, times, and the key of a project."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeGuard

from ris.errors import EventError


def is_id(value: object) -> TypeGuard[int]:
    """Tell whether a value can be an id of Label Studio, and an integer of the database: 0 to 2^31 - 1."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def make_project_key(body: Mapping[str, Any]) -> str:
    """Make a project's key, "<id>.<created_at in whole seconds>", as /setup and /predict send it.

    Args:
        body: with the project under "project".

    Raises:
        EventError: there is no project, or no time of its creation.
    """
    project = body.get("project")
    if not isinstance(project, dict) or not is_id(project.get("id")):
        raise EventError("the webhook names no project")
    created = parse_time(project.get("created_at"), "the project's created_at")
    return f"{project['id']}.{int(created.timestamp())}"


def parse_time(value: object, what: str) -> datetime:
    """Parse a time as Label Studio writes it, to UTC. A time without a zone is in UTC.

    Args:
        value: an ISO 8601 text.
        what: the subject of the message.

    Raises:
        EventError: the value is no time.
    """
    try:
        moment = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise EventError(f"{what} is no time: {value!r:.40}") from error


def read_id(fields: Mapping[str, Any], name: str) -> int:
    """Read a field that holds an id.

    Raises:
        EventError: the field holds no id.
    """
    value = fields.get(name)
    if not is_id(value):
        raise EventError(f"{name} must be a number that an id can be, got {value!r:.40}")
    return int(value)

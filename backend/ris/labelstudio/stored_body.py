"""Prepare a webhook's body for storing: without secrets, and as one text for one content."""

import json
from collections.abc import Mapping
from typing import Any

from ris.labelstudio.storable import to_storable
from ris.redaction.json_values import redact_json, redact_task_data


def redact_event(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of a webhook with "***" for tokens, passwords and keys, at any depth.

    Two things stay as they were written, because events are read again: the project's label config, and the
    web addresses in the data of tasks, with their signatures (`redact_task_data`). Values that databases
    refuse are replaced (`to_storable`), so that no event is lost because of them.
    """
    storable = to_storable(body)
    clean: dict[str, Any] = dict(redact_json(storable))
    for name in ("task", "tasks"):
        if name in clean:
            clean[name] = _restore_task_data(clean[name], storable[name])
    label_config = _read_label_config(storable.get("project"))
    if label_config is not None:
        clean["project"] = clean["project"] | {"label_config": label_config}
    return clean


def _restore_task_data(clean: Any, tasks: Any) -> Any:
    """Redact the data of tasks by the rule of task data; redacting kept the structure of the body."""
    if isinstance(tasks, list):
        return [_restore_task_data(clean_one, one) for clean_one, one in zip(clean, tasks, strict=True)]
    if isinstance(tasks, dict) and "data" in tasks:
        return clean | {"data": redact_task_data(tasks["data"])}
    return clean


def _read_label_config(project: Any) -> str | None:
    label_config = project.get("label_config") if isinstance(project, dict) else None
    return label_config if isinstance(label_config, str) else None


def to_canonical_json(body: Mapping[str, Any]) -> str:
    """Write a body as JSON so that equal bodies give equal texts."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"))

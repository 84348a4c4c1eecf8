"""Label Studio's half of `ris doctor`: each link of a project's chain looked at, and what to change where."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ris.doctor.config_warnings import find_warnings
from ris.errors import BackendError, LabelStudioError, TaskError, UntrustedError
from ris.labelstudio.api.connecting import MLBackend
from ris.labelstudio.api.duplicates import find_duplicated_tasks
from ris.labelstudio.api.protocol import LabelStudioApi
from ris.labelstudio.api.webhooks import find_webhook_faults
from ris.labelstudio.config.control import Controls, read_controls
from ris.labelstudio.task import read_task

_MAX_CLOCK_SKEW_S = 60.0
_MAX_EXAMINED_TASKS = 20  # tasks that are looked at
_MIN_KEY_LIFETIME_S = 7 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Check:
    """One link: what was looked at, whether it holds, and what was found or is to be done."""

    what: str
    holds: bool
    says: str


def examine_label_studio(api: LabelStudioApi, key: str, now: datetime) -> list[Check]:
    """Whether Label Studio answers, takes the key, and has the same time."""
    try:
        version = api.call("GET", "/api/version")
    except UntrustedError as error:
        return [Check("Label Studio", False, str(error))]
    except LabelStudioError as error:
        return [Check("Label Studio", False, f"{error}; check RIS_LABEL_STUDIO_URL, and that it runs")]
    release = version.get("release") if isinstance(version, dict) else None
    return [
        Check("Label Studio", True, f"answers, version {release or 'unknown'}"),
        _examine_key(api, key, now),
        _examine_clock(api, now),
    ]


def _examine_key(api: LabelStudioApi, key: str, now: datetime) -> Check:
    if not key:
        return Check("key", False, "RIS_LABEL_STUDIO_API_KEY is not set; images and the sync need one")
    expiry = read_key_expiry(key)
    kind = "a legacy token" if expiry is None else "a personal access token"
    try:
        who = api.call("GET", "/api/current-user/whoami")
    except LabelStudioError as error:
        hint = "legacy tokens must be allowed in its organization" if expiry is None else "make a new one"
        return Check("key", False, f"{kind}, refused: {error}; {hint}")
    name = who.get("email") if isinstance(who, dict) else None
    if expiry is not None and (expiry - now).total_seconds() < _MIN_KEY_LIFETIME_S:
        return Check("key", False, f"{kind} of {name} that ends on {expiry:%Y-%m-%d}; make a new one")
    until = f", valid until {expiry:%Y-%m-%d}" if expiry else ""
    return Check("key", True, f"{kind} of {name}{until}")


def read_key_expiry(key: str) -> datetime | None:
    """When a personal access token ends; None for a legacy token, which never does."""
    parts = key.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return datetime.fromtimestamp(int(claims["exp"]), UTC)
    except (binascii.Error, ValueError, KeyError, TypeError, OverflowError):
        return None


def _examine_clock(api: LabelStudioApi, now: datetime) -> Check:
    theirs = api.read_server_time()
    if theirs is None:
        return Check("clock", True, "Label Studio does not say what time it is")
    apart_s = abs((theirs - now).total_seconds())
    if apart_s > _MAX_CLOCK_SKEW_S:
        return Check("clock", False, f"{apart_s:.0f} s apart from Label Studio's; let both machines use NTP")
    return Check("clock", True, f"{apart_s:.0f} s apart from Label Studio's")


def examine_project(
    api: LabelStudioApi, number: int, ours: MLBackend, delivered: Callable[[], int | None]
) -> list[Check]:
    """Label config, ML backend, webhook, and whether a webhook that is sent now arrives.

    Args:
        delivered: how many webhooks our server has been told of; None when it cannot be asked.
    """
    try:
        project = api.call("GET", f"/api/projects/{number}")
    except LabelStudioError as error:
        return [Check("project", False, f"{error}; is {number} its number, and may this user see it?")]
    label_config = str(project.get("label_config") or "")
    checks = [*_examine_label_config(label_config), *_examine_tasks(api, number, label_config)]
    checks += [
        _examine_ml_backend(api, number, ours, project),
        _examine_predictions_shown(api, number, ours, project),
    ]
    hook = _examine_webhook(api, number, ours)
    checks.append(hook)
    if hook.holds:
        checks.append(_examine_delivery(api, number, str(project.get("title", "")), delivered))
    return checks


def _examine_label_config(label_config: str) -> list[Check]:
    try:
        controls = read_controls(label_config)
    except BackendError as error:
        return [Check("label config", False, str(error))]
    shown = "pick" if controls.pick else "tabs"
    says = (
        f"{controls.region_type} {controls.from_name!r}, presentation {shown}, "
        f"image {controls.picture.written}, expression ${controls.expression_key}"
    )
    if not controls.pick and len(controls.labels) > 1:
        says += f"; the regions of all {len(controls.labels)} labels are one mask"
    warnings = find_warnings(label_config, controls)
    return [
        Check("label config", True, says), *(Check("label config", False, warning) for warning in warnings),
    ]  # fmt: skip


def _examine_tasks(api: LabelStudioApi, number: int, label_config: str) -> list[Check]:
    """Whether the first tasks have what the label config asks for; nothing where it cannot be read."""
    try:
        controls = read_controls(label_config)
        listed = api.call(
            "GET", "/api/tasks", project=number, fields="task_only", page=1, page_size=_MAX_EXAMINED_TASKS
        )
    except LabelStudioError as error:
        return [Check("tasks", False, str(error))]
    except BackendError:
        return []
    tasks = (listed.get("tasks") if isinstance(listed, dict) else None) or []
    failures = [reason for task in tasks if (reason := _find_task_error(task, controls))]
    if failures:
        said = f"{len(failures)} of the first {len(tasks)} cannot be answered: {failures[0]}"
        return [Check("tasks", False, said)]
    return [Check("tasks", True, f"the first {len(tasks)} can be answered" if tasks else "none yet")]


def _find_task_error(task: Mapping[str, Any], controls: Controls) -> str:
    try:
        read_task(task, str(task.get("project")), controls)
    except TaskError as error:
        return str(error)
    return ""


def _examine_ml_backend(
    api: LabelStudioApi, number: int, ours: MLBackend, project: Mapping[str, Any]
) -> Check:
    listed = _find_by_url(api.call("GET", "/api/ml", project=number), ours.url)
    mend = f"run `ris connect --project {number}`"
    if not listed:
        return Check("ML backend", False, f"{ours.url} is not connected: {mend}")
    if len(listed) > 1:
        return Check("ML backend", False, f"{ours.url} is connected {len(listed)} times: {mend}")
    state, said = listed[0].get("state"), str(listed[0].get("error_message") or "")[:200]
    if state != "CO":
        return Check(
            "ML backend", False,
            f"Label Studio cannot reach {ours.url} (state {state}) {said}: is it right from there? "
            "A private address needs ML_BLOCK_LOCAL_IP=false in Label Studio's environment",
        )  # fmt: skip
    wanted = read_is_interactive(project)
    if wanted is not None and bool(listed[0].get("is_interactive")) != wanted:
        return Check(
            "ML backend", False, f"interactive preannotations are {'off' if wanted else 'on'}: {mend}"
        )
    return Check("ML backend", True, "connected")


def _examine_predictions_shown(
    api: LabelStudioApi, number: int, ours: MLBackend, project: Mapping[str, Any]
) -> Check:
    """Whether the editor shows predictions, and ours: by the backend's title, or by its version."""
    mend = f"run `ris connect --project {number}`"
    if not project.get("show_collab_predictions", True):
        return Check("predictions", False, f"the project shows annotators none: {mend}")
    listed = _find_by_url(api.call("GET", "/api/ml", project=number), ours.url)
    known = {one.get(name) for one in listed for name in ("title", "model_version")}
    chosen = project.get("model_version")
    if chosen and chosen not in known:
        return Check("predictions", False, f"the project shows those of {str(chosen)[:60]!r} alone: {mend}")
    return Check("predictions", True, f"shown, of {chosen or 'every version'}")


def read_is_interactive(project: Mapping[str, Any]) -> bool | None:
    """Whether a project's label config asks for clicks; None when it cannot be read."""
    try:
        return read_controls(str(project.get("label_config") or "")).is_interactive
    except BackendError:
        return None


def _examine_webhook(api: LabelStudioApi, number: int, ours: MLBackend) -> Check:
    url, mend = f"{ours.url}/webhook", f"run `ris connect --project {number}`"
    listed = _find_by_url(api.call("GET", "/api/webhooks/", project=number), url)
    if not listed:
        return Check(
            "webhook", False,
            f"there is none for {url}, so no decision arrives: {mend}. There is none for a host without "
            "a dot, and none for a private address unless it runs with SSRF_PROTECTION_ENABLED=false",
        )  # fmt: skip
    if faults := find_webhook_faults(listed[0], ours.headers):
        says = f"{', '.join(faults)}: the next sync mends it, or run `ris connect --project {number}`"
        return Check("webhook", False, says)
    return Check("webhook", True, "there, active, with payload")


def examine_predictions(api: LabelStudioApi, number: int, *, more_than: int) -> Check:
    """Whether a task has predictions of ours twice: then a bulk action makes of each two annotations.

    Args:
        more_than: the size of the smallest set that any task was offered.
    """
    try:
        doubled = list(find_duplicated_tasks(api, number, more_than=more_than))
    except LabelStudioError as error:
        return Check("doubled predictions", False, str(error))
    if not doubled:
        return Check("doubled predictions", True, "none")
    surplus = sum(len(one.surplus) for one in doubled)
    first = ", ".join(str(one.task_id) for one in doubled[:5])
    waits = sum(one.has_draft for one in doubled)
    says = f"{surplus} of {len(doubled)} tasks ({first}{', ...' if doubled[5:] else ''}) are there twice: "
    says += f"run `ris sync --project {number}`"
    return Check("doubled predictions", False, says + (f"; {waits} wait for drafts" if waits else ""))


def _examine_delivery(
    api: LabelStudioApi, number: int, title: str, delivered: Callable[[], int | None]
) -> Check:
    """Saving the project's own title again makes Label Studio send a webhook, inside the same call."""
    before = delivered()
    if before is None:
        return Check("delivery", False, "our server does not answer here, so what arrives cannot be counted")
    api.call("PATCH", f"/api/projects/{number}", {"title": title})
    after = delivered()
    if after is None or after <= before:
        return Check(
            "delivery", False,
            "a webhook that was sent just now did not arrive: Label Studio gives up after 1 s and on private "
            "addresses; set SSRF_PROTECTION_ENABLED=false there. `ris sync` fetches what was lost",
        )  # fmt: skip
    return Check("delivery", True, "a webhook that was sent just now arrived")


def _find_by_url(listed: Any, url: str) -> Sequence[Mapping[str, Any]]:
    found = listed if isinstance(listed, list) else []
    return [one for one in found if str(one.get("url", "")).rstrip("/") == url]

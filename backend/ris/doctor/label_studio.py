"""Checks of Label Studio and of one of its projects, through its API."""

from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from ris.doctor.check import Check
from ris.doctor.config_warnings import find_warnings
from ris.errors import BackendError, LabelStudioError, TaskError, UntrustedError
from ris.labelstudio.api.answers import ProjectAnswer, UserAnswer, VersionAnswer, check_answer
from ris.labelstudio.api.connecting import MLBackend, find_by_url
from ris.labelstudio.api.duplicates import find_duplicated_tasks
from ris.labelstudio.api.listing import fetch_tasks
from ris.labelstudio.api.projects import fetch_ml_backends, fetch_project, fetch_webhooks
from ris.labelstudio.api.protocol import LabelStudioApi, WebhookTokens
from ris.labelstudio.api.tokens import read_expiry
from ris.labelstudio.api.webhooks import find_webhook_faults
from ris.labelstudio.config.control import Controls, read_controls
from ris.labelstudio.task import read_task

_MAX_CLOCK_SKEW_S = 60.0
_MAX_CHECKED_TASKS = 20
_MIN_KEY_LIFETIME_S = 7 * 24 * 3600.0


def check_label_studio(api: LabelStudioApi, key: str, now: datetime) -> list[Check]:
    """Check that Label Studio answers, accepts our key, and has the same time.

    Args:
        api: Label Studio.
        key: RIS_LABEL_STUDIO_API_KEY; "" if it is not set.
        now: this machine's time, with a time zone.

    Returns:
        One failed check if Label Studio does not answer; else three.
    """
    try:
        version = check_answer(api.call("GET", "/api/version"), VersionAnswer, "its version")
    except UntrustedError as error:
        return [Check("Label Studio", False, str(error))]
    except LabelStudioError as error:
        return [Check("Label Studio", False, f"{error}; check RIS_LABEL_STUDIO_URL, and that it runs")]
    return [
        Check("Label Studio", True, f"answers, version {version.get('release') or 'unknown'}"),
        _check_key(api, key, now),
        _check_clock(api, now),
    ]


def _check_key(api: LabelStudioApi, key: str, now: datetime) -> Check:
    if not key:
        return Check("key", False, "RIS_LABEL_STUDIO_API_KEY is not set; images and the sync need one")
    expiry = read_expiry(key)
    kind = "a legacy token" if expiry is None else "a personal access token"
    try:
        who = check_answer(api.call("GET", "/api/current-user/whoami"), UserAnswer, "the user of our key")
    except LabelStudioError as error:
        hint = "legacy tokens must be allowed in its organization" if expiry is None else "make a new one"
        return Check("key", False, f"{kind}, refused: {error}; {hint}")
    name = who.get("email")
    if expiry is not None and (expiry - now).total_seconds() < _MIN_KEY_LIFETIME_S:
        return Check("key", False, f"{kind} of {name} that expires on {expiry:%Y-%m-%d}; make a new one")
    until = f", valid until {expiry:%Y-%m-%d}" if expiry else ""
    return Check("key", True, f"{kind} of {name}{until}")


def _check_clock(api: LabelStudioApi, now: datetime) -> Check:
    server_time = api.read_server_time()
    if server_time is None:
        return Check("clock", True, "Label Studio does not send its time")
    apart_s = abs((server_time - now).total_seconds())
    if apart_s > _MAX_CLOCK_SKEW_S:
        return Check("clock", False, f"{apart_s:.0f} s apart from Label Studio's; let both machines use NTP")
    return Check("clock", True, f"{apart_s:.0f} s apart from Label Studio's")


def check_project(
    api: LabelStudioApi,
    number: int,
    ours: MLBackend,
    count_webhooks: Callable[[], int | None],
    tokens: WebhookTokens | None = None,
) -> list[Check]:
    """Check a project's label config, tasks, ML backend and webhook, and that a webhook sent now arrives.

    Args:
        api: Label Studio.
        number: the project's number in Label Studio.
        ours: our side, as Label Studio reaches it.
        count_webhooks: returns how many webhooks our server received; None if the server does not answer.
        tokens: of the webhooks; None if our server asks for none.

    Raises:
        LabelStudioError: Label Studio does not answer in between.
    """
    try:
        project = fetch_project(api, number)
    except LabelStudioError as error:
        return [Check("project", False, f"{error}; is {number} its number, and may this user see it?")]
    label_config = str(project.get("label_config") or "")
    checks = [*_check_label_config(label_config), *_check_tasks(api, number, label_config)]
    checks += [
        _check_ml_backend(api, number, ours, project),
        _check_predictions_shown(api, number, ours, project),
    ]
    hook = _check_webhook(api, number, ours, tokens)
    checks.append(hook)
    if hook.is_ok:
        checks.append(_check_delivery(api, number, project.get("title") or "", count_webhooks))
    return checks


def _check_label_config(label_config: str) -> list[Check]:
    try:
        controls = read_controls(label_config)
    except BackendError as error:
        return [Check("label config", False, str(error))]
    shown = "pick" if controls.pick else "tabs"
    message = (
        f"{controls.region_type} {controls.from_name!r}, presentation {shown}, "
        f"image {controls.image_field.template}, expression ${controls.expression_key}"
    )
    if not controls.pick and len(controls.labels) > 1:
        message += f"; the regions of all {len(controls.labels)} labels are one mask"
    warnings = find_warnings(label_config, controls)
    checks = [Check("label config", True, message)]
    return checks + [Check("label config", False, warning) for warning in warnings]


def _check_tasks(api: LabelStudioApi, number: int, label_config: str) -> list[Check]:
    """Check that the first tasks have what the label config reads; no check if that cannot be read."""
    try:
        controls = read_controls(label_config)
        tasks = list(islice(fetch_tasks(api, number), _MAX_CHECKED_TASKS))
    except LabelStudioError as error:
        return [Check("tasks", False, str(error))]
    except BackendError:
        return []
    failures = [reason for task in tasks if (reason := _find_task_error(task, controls))]
    if failures:
        message = f"{len(failures)} of the first {len(tasks)} cannot be predicted: {failures[0]}"
        return [Check("tasks", False, message)]
    return [Check("tasks", True, f"the first {len(tasks)} can be predicted" if tasks else "none yet")]


def _find_task_error(task: Mapping[str, Any], controls: Controls) -> str:
    try:
        read_task(task, str(task.get("project")), controls)
    except TaskError as error:
        return str(error)
    return ""


def _check_ml_backend(api: LabelStudioApi, number: int, ours: MLBackend, project: ProjectAnswer) -> Check:
    listed = find_by_url(fetch_ml_backends(api, number), ours.url)
    fix = f"run `ris connect --project {number}`"
    if not listed:
        return Check("ML backend", False, f"{ours.url} is not connected: {fix}")
    if len(listed) > 1:
        return Check("ML backend", False, f"{ours.url} is connected {len(listed)} times: {fix}")
    state, reason = listed[0].get("state"), str(listed[0].get("error_message") or "")[:200]
    if state != "CO":
        return Check(
            "ML backend", False,
            f"Label Studio cannot reach {ours.url} (state {state}) {reason}: is it right from there? "
            "A private address needs ML_BLOCK_LOCAL_IP=false in Label Studio's environment",
        )  # fmt: skip
    should_be = read_is_interactive(project)
    if should_be is not None and bool(listed[0].get("is_interactive")) != should_be:
        return Check(
            "ML backend", False, f"interactive preannotations are {'off' if should_be else 'on'}: {fix}"
        )
    return Check("ML backend", True, "connected")


def _check_predictions_shown(
    api: LabelStudioApi, number: int, ours: MLBackend, project: ProjectAnswer
) -> Check:
    """Check that the editor shows predictions, and ours: chosen by the backend's title or by its version."""
    fix = f"run `ris connect --project {number}`"
    if not project.get("show_collab_predictions", True):
        return Check("predictions", False, f"the project does not show predictions to annotators: {fix}")
    listed = find_by_url(fetch_ml_backends(api, number), ours.url)
    known = {one.get(name) for one in listed for name in ("title", "model_version")}
    chosen = project.get("model_version")
    if chosen and chosen not in known:
        return Check("predictions", False, f"the project shows only those of {str(chosen)[:60]!r}: {fix}")
    return Check("predictions", True, f"shown, of {chosen or 'every version'}")


def read_is_interactive(project: ProjectAnswer) -> bool | None:
    """Tell whether a project's label config asks for clicks; None if the label config cannot be read."""
    try:
        return read_controls(str(project.get("label_config") or "")).is_interactive
    except BackendError:
        return None


def _check_webhook(api: LabelStudioApi, number: int, ours: MLBackend, tokens: WebhookTokens | None) -> Check:
    url, fix = f"{ours.url}/webhook", f"run `ris connect --project {number}`"
    listed = find_by_url(fetch_webhooks(api, number), url)
    if not listed:
        return Check(
            "webhook", False,
            f"there is none for {url}, so no decision arrives: {fix}. Label Studio makes none for a host "
            "without a dot, and for a private address only with SSRF_PROTECTION_ENABLED=false",
        )  # fmt: skip
    if faults := find_webhook_faults(listed[0], number, tokens):
        return Check("webhook", False, f"{', '.join(faults)}: the next sync repairs it, or {fix}")
    return Check("webhook", True, "exists, active, with payload")


def check_predictions(api: LabelStudioApi, number: int, *, more_than: int) -> Check:
    """Check that no task has a prediction of ours twice: a bulk action would make two annotations of it.

    Args:
        api: Label Studio.
        number: the project's number in Label Studio.
        more_than: the size of the smallest set of alternatives that any task was given.
    """
    try:
        tasks = list(find_duplicated_tasks(api, number, more_than=more_than))
    except LabelStudioError as error:
        return Check("duplicate predictions", False, str(error))
    if not tasks:
        return Check("duplicate predictions", True, "none")
    surplus = sum(len(task.surplus) for task in tasks)
    first = ", ".join(str(task.task_id) for task in tasks[:5])
    n_drafts = sum(task.has_draft for task in tasks)
    message = (
        f"{surplus} surplus in {len(tasks)} tasks ({first}{', ...' if tasks[5:] else ''}): "
        f"run `ris sync --project {number}`"
    )
    if n_drafts:
        message += f"; {n_drafts} of the tasks have a draft and must be submitted first"
    return Check("duplicate predictions", False, message)


def _check_delivery(
    api: LabelStudioApi, number: int, title: str, count_webhooks: Callable[[], int | None]
) -> Check:
    """Save the project's title unchanged: Label Studio sends a webhook before it answers that call."""
    before = count_webhooks()
    if before is None:
        return Check(
            "delivery",
            False,
            "our server does not answer, so its webhooks cannot be counted: start `ris serve`",
        )
    api.call("PATCH", f"/api/projects/{number}", {"title": title})
    after = count_webhooks()
    if after is None or after <= before:
        return Check(
            "delivery", False,
            "a webhook that was sent just now did not arrive: Label Studio waits 1 s for us, and calls "
            "private addresses only with SSRF_PROTECTION_ENABLED=false. `ris sync` fetches lost decisions",
        )  # fmt: skip
    return Check("delivery", True, "a webhook that was sent just now arrived")

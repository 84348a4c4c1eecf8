"""Connect a project: set up or repair its label config, ML backend and webhook. Safe to run twice."""

import hashlib
import hmac
import ipaddress
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from ris.errors import InputError, LabelStudioError
from ris.labelstudio.api.answers import MLBackendAnswer, ProjectAnswer, WebhookAnswer, check_answer
from ris.labelstudio.api.projects import fetch_ml_backends, fetch_project, fetch_webhooks
from ris.labelstudio.api.protocol import LabelStudioApi, WebhookTokens
from ris.labelstudio.config.control import Controls, read_controls

ML_BACKEND_TITLE = "ris"
Connected = TypeVar("Connected", MLBackendAnswer, WebhookAnswer)
WEBHOOK_SETTINGS = {"is_active": True, "send_payload": True, "send_for_all_actions": True}


@dataclass(frozen=True, slots=True)
class ConnectStep:
    """One step of connecting a project: its name, and what was found or done."""

    name: str
    outcome: str


@dataclass(frozen=True, slots=True)
class MLBackend:
    """Our side as Label Studio reaches it.

    Attributes:
        url: of `ris serve`, as seen from Label Studio.
        user: of its basic auth.
        password: of its basic auth; "" if it asks for none.

    Raises:
        InputError: Label Studio could not call that address from anywhere.
    """

    url: str
    user: str = ""
    password: str = ""

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            host = parts.hostname or ""
        except ValueError:
            parts, host = urlsplit(""), ""
        if "@" in self.url:
            raise InputError(
                "the address of `ris serve` holds a user or a password: remove them, and set "
                "RIS_BASIC_AUTH_USER and RIS_BASIC_AUTH_PASSWORD"
            )
        if parts.scheme not in ("http", "https") or not host or _is_unspecified_host(host):
            raise InputError(
                f"Label Studio cannot call `ris serve` at {self.url}: set RIS_PUBLIC_URL to an address that "
                "it can call, or give one with --backend, e.g. http://192.168.1.5:9090"
            )


def _is_unspecified_host(host: str) -> bool:
    """Tell whether a host is 0.0.0.0 or ::, in any spelling: a server can listen there but not be called."""
    try:
        return not any(socket.inet_aton(host))  # it knows "0" and "0x0", too
    except OSError:
        pass
    try:
        address = ipaddress.IPv6Address(host)
    except ValueError:
        return False
    return (address.ipv4_mapped or address).is_unspecified


def make_webhook_token(password: str) -> str:
    """Compute the token that earlier versions gave to webhooks. Whoever reads it can try passwords on it."""
    return hmac.new(password.encode(), b"ris webhook", hashlib.sha256).hexdigest()


def make_webhook_headers(token: str) -> dict[str, str]:
    """Make the headers with which a webhook sends its token; Label Studio sends no credentials by itself."""
    return {"Authorization": f"Bearer {token}"}


def read_webhook_token(hook: WebhookAnswer) -> str:
    """Read the token that a webhook sends; "" without."""
    headers = hook.get("headers") or {}
    value = next((str(text) for name, text in headers.items() if str(name).lower() == "authorization"), "")
    kind, _, token = value.partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def create_project(api: LabelStudioApi, title: str, label_config: str) -> int:
    """Create a project; return its number.

    Raises:
        LabelConfigError: the label config has no place for a mask.
        LabelStudioError: Label Studio did not answer, or refused.
    """
    read_controls(label_config)
    project = api.call("POST", "/api/projects", {"title": title, "label_config": label_config})
    return check_answer(project, ProjectAnswer, "the new project")["id"]


def create_empty_project(api: LabelStudioApi, title: str) -> int:
    """Create a project without a label config, to which images can be uploaded; return its number.

    Raises:
        LabelStudioError: Label Studio did not answer, or refused.
    """
    project = api.call("POST", "/api/projects", {"title": title})
    return check_answer(project, ProjectAnswer, "the new project")["id"]


def set_label_config(api: LabelStudioApi, number: int, label_config: str) -> Controls:
    """Set a project's label config; return its tags.

    Raises:
        LabelConfigError: it has no place for a mask.
        LabelStudioError: Label Studio did not answer, or refused.
    """
    controls = read_controls(label_config)
    api.call("PATCH", f"/api/projects/{number}", {"label_config": label_config})
    return controls


def connect_project(
    api: LabelStudioApi,
    number: int,
    backend: MLBackend,
    *,
    label_config: str | None = None,
    tokens: WebhookTokens | None = None,
    renews_token: bool = False,
) -> list[ConnectStep]:
    """Connect a project, so that its tasks get predictions and its decisions arrive.

    Args:
        api: Label Studio.
        number: the project's number.
        backend: our side, as Label Studio reaches it.
        label_config: replaces the project's own; None checks the project's own.
        tokens: of the webhooks; None if our server asks for none.
        renews_token: gives the webhook a new token, even if it has one that is accepted.

    Raises:
        LabelConfigError: the label config has no place for a mask; the message says what to add.
        LabelStudioError: Label Studio did not answer, or refused; the message says what to change there.
    """
    project = fetch_project(api, number)
    return [
        _ensure_label_config(api, number, str(project.get("label_config") or ""), label_config),
        _ensure_ml_backend(api, number, backend, label_config or str(project.get("label_config") or "")),
        ensure_webhook(api, number, backend, tokens, renews_token=renews_token),
        _ensure_predictions_shown(api, number, project),
        _ensure_model_version(api, number),
    ]


def _ensure_label_config(api: LabelStudioApi, number: int, present: str, wanted: str | None) -> ConnectStep:
    controls = read_controls(wanted if wanted is not None else present)
    summary = (
        f"{controls.region_type} {controls.from_name!r}, presentation {'pick' if controls.pick else 'tabs'}"
    )
    if wanted is None or wanted.strip() == present.strip():
        return ConnectStep("label config", f"fits: {summary}")
    api.call("PATCH", f"/api/projects/{number}", {"label_config": wanted})
    return ConnectStep("label config", f"set: {summary}")


def _ensure_ml_backend(
    api: LabelStudioApi, number: int, backend: MLBackend, label_config: str
) -> ConnectStep:
    same = find_by_url(fetch_ml_backends(api, number), backend.url)
    interactive = read_controls(label_config).is_interactive
    body: dict[str, Any] = {
        "url": backend.url, "project": number, "title": ML_BACKEND_TITLE, "is_interactive": interactive,
    }  # fmt: skip
    if backend.password:
        body |= {
            "auth_method": "BASIC_AUTH",
            "basic_auth_user": backend.user,
            "basic_auth_pass": backend.password,
        }
    for extra in same[1:]:
        api.call("DELETE", f"/api/ml/{extra['id']}")
    if same:
        api.call("PATCH", f"/api/ml/{same[0]['id']}", body)
        removed = f", {len(same) - 1} duplicates of it removed" if same[1:] else ""
        return ConnectStep("ML backend", f"connected already{removed}")
    try:
        api.call("POST", "/api/ml", body)
    except LabelStudioError as error:
        # With only one of these two settings Label Studio answers 403 and connects all the same.
        if not find_by_url(fetch_ml_backends(api, number), backend.url):
            raise LabelStudioError(
                f"Label Studio cannot use {backend.url}: {error}; is `ris serve` reachable from there? For a "
                "private address start Label Studio with ML_BLOCK_LOCAL_IP=false and "
                "SSRF_PROTECTION_ENABLED=false"
            ) from error
    return ConnectStep("ML backend", "connected")


def ensure_webhook(
    api: LabelStudioApi,
    number: int,
    backend: MLBackend,
    tokens: WebhookTokens | None,
    *,
    renews_token: bool = False,
) -> ConnectStep:
    """Create or repair the webhook of a project, so that its decisions arrive.

    Args:
        api: Label Studio.
        number: the project's number.
        backend: our side, as Label Studio reaches it.
        tokens: of the webhooks; None if our server asks for none.
        renews_token: gives it a new token, even if it has one that is accepted.

    Raises:
        LabelStudioError: Label Studio did not answer, or refused; the message says what to change there.
    """
    same = find_by_url(fetch_webhooks(api, number), f"{backend.url}/webhook")
    if tokens is None:
        return _write_webhook(api, number, backend, same, {})
    token = read_webhook_token(same[0]) if same else ""
    if renews_token or not token or not tokens.is_current(number, token):
        token = tokens.make(number)  # the old one is accepted until Label Studio has this one
    step = _write_webhook(api, number, backend, same, make_webhook_headers(token))
    tokens.end_older(number, token)
    return ConnectStep(step.name, f"{step.outcome}, its token is new") if renews_token else step


def _write_webhook(
    api: LabelStudioApi,
    number: int,
    backend: MLBackend,
    same: Sequence[WebhookAnswer],
    headers: Mapping[str, str],
) -> ConnectStep:
    url = f"{backend.url}/webhook"
    wanted = {**WEBHOOK_SETTINGS, "headers": headers}
    for extra in same[1:]:
        api.call("DELETE", f"/api/webhooks/{extra['id']}/")
    if same:
        wrong = [name for name, value in wanted.items() if (same[0].get(name) or {}) != (value or {})]
        if not wrong and not same[1:]:
            return ConnectStep("webhook", "exists already")
        api.call("PATCH", f"/api/webhooks/{same[0]['id']}/", wanted)
        return ConnectStep("webhook", f"repaired: {', '.join(wrong) or 'duplicates of it'}")
    try:
        api.call("POST", "/api/webhooks/", {"url": url, "project": number, **wanted})
    except LabelStudioError as error:
        raise LabelStudioError(
            f"Label Studio makes no webhook for {url}: {error}; it needs an address with a dot, such as "
            "http://127.0.0.1:9090 or http://ris.internal:9090, and for a private address it must run with "
            "SSRF_PROTECTION_ENABLED=false"
        ) from error
    return ConnectStep("webhook", "created")


def _ensure_predictions_shown(api: LabelStudioApi, number: int, project: ProjectAnswer) -> ConnectStep:
    if project.get("show_collab_predictions", True):
        return ConnectStep("predictions", "shown to annotators")
    api.call("PATCH", f"/api/projects/{number}", {"show_collab_predictions": True})
    return ConnectStep("predictions", "now shown to annotators")


def _ensure_model_version(api: LabelStudioApi, number: int) -> ConnectStep:
    """Choose the predictions that are shown: the live backend's, which Label Studio names by its title."""
    chosen = fetch_project(api, number).get("model_version")
    if chosen == ML_BACKEND_TITLE:
        return ConnectStep("model version", "the live backend's")
    api.call("PATCH", f"/api/projects/{number}", {"model_version": ML_BACKEND_TITLE})
    return ConnectStep("model version", f"now the live backend's, before {chosen or 'none'}")


def find_by_url(listed: Sequence[Connected], url: str) -> list[Connected]:
    """Find the entries of a list of ML backends or webhooks with an address."""
    return [one for one in listed if one.get("url", "").rstrip("/") == url]

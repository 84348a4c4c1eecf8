"""Find and repair faults of our webhooks.

Label Studio is going to switch off a webhook after 50 failed deliveries in a row, and people switch webhooks
off, change or delete them by mistake. Then no decision arrives, and nobody is told. A webhook that is missing
is created where the project still has the ML backend that `ris connect` made: whoever does not want our
webhook removes the ML backend, too.
"""

from collections.abc import Sequence

from ris.labelstudio.api.answers import WebhookAnswer
from ris.labelstudio.api.connecting import (
    ML_BACKEND_TITLE,
    WEBHOOK_SETTINGS,
    make_webhook_headers,
    read_webhook_token,
)
from ris.labelstudio.api.projects import fetch_ml_backends, fetch_webhooks
from ris.labelstudio.api.protocol import LabelStudioApi, WebhookTokens


def find_webhook_faults(hook: WebhookAnswer, number: int, tokens: WebhookTokens | None) -> list[str]:
    """Find what keeps decisions from arriving by a webhook, each fault as a clause; none if it is correct.

    Args:
        hook: as Label Studio lists it.
        number: the project's.
        tokens: of the webhooks; None if our server asks for none.
    """
    faults = _find_wrong_settings(hook)
    if tokens is not None and not tokens.is_current(number, read_webhook_token(hook)):
        faults.append(_describe_token_fault(hook, tokens))
    return faults


def _find_wrong_settings(hook: WebhookAnswer) -> list[str]:
    failures = hook.get("consecutive_failures")
    reason = f" after {failures} failed deliveries in a row" if failures else ""
    fault_by_setting = {
        "is_active": f"it is switched off{reason}",
        "send_payload": "it sends no payload",
        "send_for_all_actions": "it is not sent for all actions",
    }
    return [
        fault_by_setting[name] for name, wanted in WEBHOOK_SETTINGS.items() if bool(hook.get(name)) != wanted
    ]


def _describe_token_fault(hook: WebhookAnswer, tokens: WebhookTokens) -> str:
    if tokens.is_computed(read_webhook_token(hook)):
        return "it has the token of an earlier version, which was computed from the password"
    return "it lacks the token that our server asks for"


def mend_webhooks(api: LabelStudioApi, project: int, tokens: WebhookTokens | None) -> str:
    """Repair the webhooks of our backend in a project; return their faults as one text, "" for none.

    Ours are those of the ML backend that `ris connect` made, or of the only one there is. For the former one
    that is missing is created.

    Args:
        api: Label Studio.
        project: its number.
        tokens: of the webhooks; None if our server asks for none.

    Raises:
        LabelStudioError: Label Studio did not answer, or refused.
    """
    backends = fetch_ml_backends(api, project)
    ours = [one for one in backends if one.get("title") == ML_BACKEND_TITLE or len(backends) == 1]
    urls = {f"{str(one.get('url', '')).rstrip('/')}/webhook" for one in ours}
    listed = fetch_webhooks(api, project) if urls else []
    hooks = [hook for hook in listed if str(hook.get("url", "")).rstrip("/") in urls]
    connected = {str(one.get("url", "")).rstrip("/") for one in ours if one.get("title") == ML_BACKEND_TITLE}
    missing = sorted({f"{url}/webhook" for url in connected} - {str(h.get("url")).rstrip("/") for h in hooks})
    if not hooks and not missing:
        return ""
    token = _choose_token(hooks, project, tokens)
    repaired = []
    for url in missing:
        headers = make_webhook_headers(token) if token else {}
        body = {"url": url, "project": project, **WEBHOOK_SETTINGS, "headers": headers}
        api.call("POST", "/api/webhooks/", body)
        repaired.append("it was deleted, or its address was changed")
    for hook in hooks:
        faults = _find_wrong_settings(hook)
        if tokens is not None and read_webhook_token(hook) != token:
            faults.append(_describe_token_fault(hook, tokens))
        if faults:
            body = {**WEBHOOK_SETTINGS, "headers": _replace_token(hook, token)}
            api.call("PATCH", f"/api/webhooks/{hook['id']}/", body)
            repaired += faults
    if tokens is not None:
        tokens.end_older(project, token)
    return ", ".join(repaired)


def _choose_token(hooks: Sequence[WebhookAnswer], project: int, tokens: WebhookTokens | None) -> str:
    """Choose the token for all webhooks of a project: one that is accepted, or else a new one."""
    if tokens is None:
        return ""
    present = map(read_webhook_token, hooks)
    accepted = next((token for token in present if tokens.is_current(project, token)), None)
    return tokens.make(project) if accepted is None else accepted


def _replace_token(hook: WebhookAnswer, token: str) -> dict[str, str]:
    """Return the headers of a webhook with this token; "" leaves them as they are."""
    headers = hook.get("headers") or {}
    if not token:
        return dict(headers)
    others = {name: text for name, text in headers.items() if name.lower() != "authorization"}
    return {**others, **make_webhook_headers(token)}

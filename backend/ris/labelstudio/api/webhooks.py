"""Find and repair faults of our webhooks.

Label Studio is going to switch off a webhook after 50 failed deliveries in a row, and people switch webhooks
off by mistake. Then no decision arrives, and nobody is told. A missing webhook is not created here: `ris
connect` does that, and whoever deleted it may not want one.
"""

from collections.abc import Mapping

from ris.labelstudio.api.answers import WebhookAnswer
from ris.labelstudio.api.connecting import ML_BACKEND_TITLE, WEBHOOK_SETTINGS
from ris.labelstudio.api.projects import fetch_ml_backends, fetch_webhooks
from ris.labelstudio.api.protocol import LabelStudioApi


def find_webhook_faults(hook: WebhookAnswer, headers: Mapping[str, str]) -> list[str]:
    """Find what keeps decisions from arriving by a webhook, each fault as a clause; none if it is correct.

    Args:
        hook: as Label Studio lists it.
        headers: that our server asks for.
    """
    failures = hook.get("consecutive_failures")
    reason = f" after {failures} failed deliveries in a row" if failures else ""
    fault_by_setting = {
        "is_active": f"it is switched off{reason}",
        "send_payload": "it sends no payload",
        "send_for_all_actions": "it is not sent for all actions",
    }
    faults = [
        fault_by_setting[name] for name, wanted in WEBHOOK_SETTINGS.items() if bool(hook.get(name)) != wanted
    ]
    present = hook.get("headers") or {}
    if any(present.get(name) != value for name, value in headers.items()):
        faults.append("it lacks the password that our server asks for")
    return faults


def mend_webhooks(api: LabelStudioApi, project: int, headers: Mapping[str, str]) -> str:
    """Repair the webhooks of our backend in a project; return their faults as one text, "" for none.

    Ours are those of the ML backend that `ris connect` made, or of the only one there is.

    Raises:
        LabelStudioError: Label Studio did not answer, or refused.
    """
    backends = fetch_ml_backends(api, project)
    ours = [one for one in backends if one.get("title") == ML_BACKEND_TITLE or len(backends) == 1]
    urls = {f"{str(one.get('url', '')).rstrip('/')}/webhook" for one in ours}
    repaired = []
    for hook in fetch_webhooks(api, project) if urls else ():
        faults = find_webhook_faults(hook, headers)
        if str(hook.get("url", "")).rstrip("/") in urls and faults:
            body = {**WEBHOOK_SETTINGS, "headers": {**(hook.get("headers") or {}), **headers}}
            api.call("PATCH", f"/api/webhooks/{hook['id']}/", body)
            repaired += faults
    return ", ".join(repaired)

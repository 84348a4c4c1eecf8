"""What a webhook of ours must be like, and how one that is not is mended.

Label Studio is going to switch off a webhook whose deliveries failed 50 times in a row, and people switch
them off by mistake. Then no decision arrives, and nothing says so. A webhook that is not there is not made
here: that is for `ris connect`, and who does not want one deletes it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ris.labelstudio.api.connecting import ML_BACKEND_TITLE, WEBHOOK_SETTINGS
from ris.labelstudio.api.protocol import LabelStudioApi


def find_webhook_faults(hook: Mapping[str, Any], headers: Mapping[str, str]) -> list[str]:
    """What keeps decisions from arriving by a webhook, in words; none when it is as it must be.

    Args:
        hook: as Label Studio lists it.
        headers: that our server asks for.
    """
    failures = hook.get("consecutive_failures")
    why = f" after {failures} failed deliveries in a row" if failures else ""
    words = {
        "is_active": f"it is switched off{why}",
        "send_payload": "it sends no payload",
        "send_for_all_actions": "it is not sent for all actions",
    }
    faults = [words[name] for name, wanted in WEBHOOK_SETTINGS.items() if bool(hook.get(name)) != wanted]
    has = hook.get("headers") or {}
    if any(has.get(name) != value for name, value in headers.items()):
        faults.append("it lacks the password that our server asks for")
    return faults


def mend_webhooks(api: LabelStudioApi, project: int, headers: Mapping[str, str]) -> str:
    """Put right the webhooks of our backend in a project; what was wrong, in words, "" when nothing was.

    Ours are those of the ML backend that `ris connect` made, or of the only one there is.

    Raises:
        LabelStudioError: Label Studio does not answer, or refuses.
    """
    backends = _to_list(api.call("GET", "/api/ml", project=project))
    ours = [one for one in backends if one.get("title") == ML_BACKEND_TITLE or len(backends) == 1]
    urls = {f"{str(one.get('url', '')).rstrip('/')}/webhook" for one in ours}
    mended = []
    for hook in _to_list(api.call("GET", "/api/webhooks/", project=project)) if urls else ():
        faults = find_webhook_faults(hook, headers)
        if str(hook.get("url", "")).rstrip("/") in urls and faults:
            body = {**WEBHOOK_SETTINGS, "headers": {**(hook.get("headers") or {}), **headers}}
            api.call("PATCH", f"/api/webhooks/{hook['id']}/", body)
            mended += faults
    return ", ".join(mended)


def _to_list(answer: Any) -> Sequence[Mapping[str, Any]]:
    return answer if isinstance(answer, list) else []

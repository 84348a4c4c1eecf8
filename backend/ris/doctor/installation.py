"""Checks of this installation: database, disk, model files, own address, and the running server."""

import re
import shutil
from pathlib import Path

import httpx

from ris import assembly, config, planning
from ris.config import Settings
from ris.doctor.check import Check
from ris.errors import BackendError
from ris.labelstudio.api.connecting import MLBackend
from ris.store.session import Database
from ris.store.sync_states import find_sync_states

MIN_FREE_DISK_BYTES = 2**30
_EVENT_COUNT = re.compile(r"^ris_events_total\{.*\} (\d+(?:\.\d+)?(?:e\+?\d{1,2})?)$", re.MULTILINE)
_KEY_TIMEOUT_S = 10.0  # our server asks Label Studio, 5 s at most
_TIMEOUT_S = 3.0  # for each request to our own server


def check_database(settings: Settings) -> Check:
    """Check that the database opens, can be written, and has this program's revision."""
    try:
        Database.open(settings.database_url).close()
    except BackendError as error:
        return Check("database", False, str(error))
    return Check("database", True, "open, writable, at this program's revision")


def check_sync(settings: Settings) -> Check:
    """Check that the last sync of every project worked, and their webhooks. The database must open."""
    database = Database.open(settings.database_url)
    try:
        with database.begin() as session:
            states = find_sync_states(session)
    except BackendError as error:
        return Check("sync", False, str(error))
    finally:
        database.close()
    failing = [state for state in states if state.is_failing]
    if failing:
        first = f"project {failing[0].project}: {failing[0].summary}"
        return Check("sync", False, f"{len(failing)} of {len(states)} projects fail; {first}")
    if broken := [state for state in states if state.has_broken_webhook]:
        first = f"project {broken[0].project}, since {broken[0].webhook_summary}"
        return Check("sync", False, f"the webhooks of {len(broken)} of {len(states)} projects fail; {first}")
    message = f"the last sync of each of {len(states)} projects worked"
    faults = [state for state in states if state.webhook_summary and state.forgotten_at is None]
    if faults:
        newest = max(faults, key=lambda state: state.webhook_summary)
        message += f"; the last webhook that it repaired: project {newest.project}, {newest.webhook_summary}"
    return Check("sync", True, message)


def check_disk(settings: Settings) -> Check:
    """Check the free space of the disk with the SQLite file, or with the working directory."""
    name = settings.database_url.removeprefix("sqlite:///")
    folder = Path(name).resolve().parent if name != settings.database_url else Path.cwd()
    free = shutil.disk_usage(folder if folder.is_dir() else Path.cwd()).free
    message = f"{free / 2**30:.1f} GiB free next to the database"
    if free > MIN_FREE_DISK_BYTES:
        return Check("disk", True, message)
    return Check("disk", False, f"{message}, less than {MIN_FREE_DISK_BYTES / 2**30:.0f} GiB: make room")


def check_models(settings: Settings) -> Check:
    """Check that the preset's model files are there and undamaged; loads no network."""
    try:
        plan = planning.make_plan(settings)
    except BackendError as error:
        return Check("models", False, str(error))
    found = f"{plan.version}, {plan.arithmetic}: {plan.preset.summary}"
    if not plan.preset.has_toy_networks:
        return Check("models", True, found)
    way_out = planning.describe_other_presets(settings)
    return Check("models", True, f"{found}. For photographs {way_out}", is_warning=True)


def check_own_address(settings: Settings, url: str | None) -> tuple[Check, MLBackend | None]:
    """Check the address that Label Studio is given for us.

    Args:
        settings: of this installation.
        url: wins over the settings.

    Returns:
        The result, and our side as Label Studio reaches it; None if there is no usable address.
    """
    try:
        backend = assembly.make_ml_backend(settings, url)
    except BackendError as error:
        return Check("own address", False, str(error)), None
    return Check("own address", True, f"Label Studio is told {backend.url}"), backend


def check_server(settings: Settings) -> Check:
    """Check that our server may listen, and that it answers this machine.

    Label Studio may need another address for it.
    """
    url = _make_server_url(settings)
    try:
        config.check_listening(settings)
        state = _get(settings, "/health/ready").json()
    except BackendError as error:
        return Check("server", False, str(error))
    except (httpx.HTTPError, ValueError, RecursionError) as error:
        return Check("server", False, f"{url} does not answer ({type(error).__name__}): start `ris serve`")
    if not isinstance(state, dict):
        return Check("server", False, f"another program answers at {url}: start `ris serve` at a free port")
    models, database = state.get("models"), state.get("database", "ready")
    if models not in ("ready", "loading") or database != "ready":
        reason = state.get("error") or (models if database == "ready" else database)
        return Check("server", False, f"{url} cannot work: {reason}")
    if settings.login is not None and not settings.basic_auth_user:
        return Check(
            "server", False,
            "RIS_BASIC_AUTH_USER is not set: Label Studio sends a password only together with a user",
        )  # fmt: skip
    return Check("server", True, f"{url} answers, models {models}")


def check_server_key(settings: Settings) -> Check | None:
    """Check that Label Studio accepts the key that our server was started with; None if it does not answer.

    The key of this shell can be another one.
    """
    url = f"{_make_server_url(settings)}/health/label-studio"
    try:
        answer = httpx.get(url, timeout=_KEY_TIMEOUT_S, auth=settings.login, trust_env=False)
        answer = answer.raise_for_status().json()
    except (httpx.HTTPError, ValueError, RecursionError):
        return None  # the check of the server says so
    error = answer.get("error") if isinstance(answer, dict) else None
    if error == "":
        return Check("server's key", True, "Label Studio accepts the key of the running server")
    return Check(
        "server's key", False,
        f"the running server cannot read from Label Studio: {str(error)[:300]}. Start `ris serve` with "
        "RIS_LABEL_STUDIO_URL and RIS_LABEL_STUDIO_API_KEY set",
    )  # fmt: skip


def count_received_webhooks(settings: Settings) -> int | None:
    """Read from our server's metrics how many webhooks arrived; None if the server does not answer."""
    try:
        response = _get(settings, "/metrics").raise_for_status()
    except httpx.HTTPError:
        return None
    counts = _EVENT_COUNT.findall(response.text)
    return int(sum(float(count) for count in counts))


def _make_server_url(settings: Settings) -> str:
    """Return the server's address as seen from this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    return f"http://{config.format_host_port(host, settings.port)}"


def _get(settings: Settings, path: str) -> httpx.Response:
    """Ask our own server. Neither a proxy of the environment nor a redirect gets the password."""
    url = f"{_make_server_url(settings)}{path}"
    return httpx.get(url, timeout=_TIMEOUT_S, auth=settings.login, trust_env=False)

"""`ris doctor`: the whole chain from both ends, and what to change where."""

import re
import shutil
from pathlib import Path
from typing import Annotated

import httpx
import typer
from pydantic import SecretStr
from rich.table import Table

from ris import assembly, config
from ris.cli.console import console
from ris.config import Settings
from ris.errors import BackendError, LabelStudioError
from ris.labelstudio.api.connecting import MLBackend
from ris.labelstudio.doctor.examining import Check, examine_label_studio, examine_predictions, examine_project
from ris.store.session import Database

MIN_FREE_DISK_BYTES = 2**30


def doctor(
    project: Annotated[
        int | None, typer.Option(help="its number in Label Studio; without, only the basics")
    ] = None,
    backend: Annotated[
        str | None, typer.Option(help="RIS_PUBLIC_URL: address of `ris serve` as Label Studio reaches it")
    ] = None,
    url: Annotated[str | None, typer.Option(help="RIS_LABEL_STUDIO_URL")] = None,
    key: Annotated[str | None, typer.Option(help="RIS_LABEL_STUDIO_API_KEY")] = None,
    database_url: Annotated[str | None, typer.Option(help="RIS_DATABASE_URL")] = None,
) -> None:
    """Check database, models, server, Label Studio and a project; say for each failure what to change.

    Example: `ris doctor --project 3`
    """
    settings = config.read_settings(
        label_studio_url=url, label_studio_api_key=SecretStr(key) if key else None, database_url=database_url
    )
    own, ours = _check_own_address(settings, backend)
    checks = [
        _check_database(settings),
        _check_disk(settings),
        _check_models(settings),
        _check_server(settings),
        own,
    ]
    client, secret = assembly.make_label_studio_client(settings), settings.label_studio_api_key
    checks += examine_label_studio(
        client, secret.get_secret_value() if secret else "", assembly.get_utc_now()
    )
    basics = all(check.holds for check in checks if check.what in ("Label Studio", "key"))
    if project is not None and ours is not None and basics:
        checks += examine_project(client, project, ours, lambda: _count_delivered(settings))
        checks.append(examine_predictions(client, project, more_than=1))
    table = Table("", "link", "")
    for check in checks:
        table.add_row("ok" if check.holds else "TO DO", check.what, check.says)
    console.print(table, markup=False)
    failed = sum(not check.holds for check in checks)
    if failed:
        raise LabelStudioError(f"{failed} of {len(checks)} links do not hold; the table says what to change")


def _check_database(settings: Settings) -> Check:
    try:
        Database.open(settings.database_url).close()
    except BackendError as error:
        return Check("database", False, str(error))
    return Check("database", True, "open, writable, at this program's revision")


def _check_disk(settings: Settings) -> Check:
    name = settings.database_url.removeprefix("sqlite:///")
    folder = Path(name).resolve().parent if name != settings.database_url else Path.cwd()
    free = shutil.disk_usage(folder if folder.is_dir() else Path.cwd()).free
    says = f"{free / 2**30:.1f} GiB free beside the database"
    return Check(
        "disk", free > MIN_FREE_DISK_BYTES, says if free > MIN_FREE_DISK_BYTES else f"{says}: make room"
    )


def _check_models(settings: Settings) -> Check:
    try:
        plan = assembly.make_plan(settings)
    except BackendError as error:
        return Check("models", False, str(error))
    return Check("models", True, f"{plan.version}, {plan.arithmetic}: {plan.preset.summary}")


def _check_own_address(settings: Settings, url: str | None) -> tuple[Check, MLBackend | None]:
    """What Label Studio is told, or why it cannot be told that."""
    try:
        ours = assembly.make_ml_backend(settings, url)
    except BackendError as error:
        return Check("own address", False, str(error)), None
    return Check("own address", True, f"Label Studio is told {ours.url}"), ours


def _check_server(settings: Settings) -> Check:
    """Our own server, asked from here; Label Studio may need another way to it."""
    here = _make_server_url(settings)
    try:
        said = httpx.get(f"{here}/health/ready", timeout=3, auth=_get_auth(settings)).json()
    except (httpx.HTTPError, ValueError) as error:
        return Check("server", False, f"{here} does not answer ({type(error).__name__}): start `ris serve`")
    models, database = said.get("models"), said.get("database", "ready")
    if models not in ("ready", "loading") or database != "ready":
        says = said.get("error") or (models if database == "ready" else database)
        return Check("server", False, f"{here} cannot work: {says}")
    return Check("server", True, f"{here} answers, models {models}")


def _make_server_url(settings: Settings) -> str:
    """Where the server is reached from this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    return f"http://{config.format_host_port(host, settings.port)}"


def _get_auth(settings: Settings) -> tuple[str, str] | None:
    password = settings.basic_auth_password
    return (settings.basic_auth_user, password.get_secret_value()) if password else None


def _count_delivered(settings: Settings) -> int | None:
    """How many webhooks the server has counted; None when it does not say."""
    try:
        answer = httpx.get(
            f"{_make_server_url(settings)}/metrics", timeout=3, auth=_get_auth(settings)
        ).raise_for_status()
    except httpx.HTTPError:
        return None
    found = re.findall(r"^ris_events_total\{.*\} ([\d.e+]+)$", answer.text, re.MULTILINE)
    return int(sum(float(count) for count in found))

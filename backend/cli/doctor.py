"""`ris doctor`: the whole chain from both ends, and what to change where."""

import re
import shutil
from pathlib import Path
from typing import Annotated

import httpx
import typer
from pydantic import SecretStr
from rich.table import Table

from backend import assembly, config
from backend.cli.console import console
from backend.config import Settings
from backend.errors import BackendError, LabelStudioError
from backend.labelstudio.connecting import Backend
from backend.labelstudio.examining import Check, examine_predictions, examine_project, examine_studio
from backend.store.session import Database

LITTLE_DISK_BYTES = 2**30


def doctor(
    project: Annotated[
        int | None, typer.Option(help="its number in Label Studio; without, only the basics")
    ] = None,
    backend: Annotated[
        str | None, typer.Option(help="address of `ris serve` as Label Studio reaches it")
    ] = None,
    url: Annotated[str | None, typer.Option(help="RIS_LABEL_STUDIO_URL")] = None,
    key: Annotated[str | None, typer.Option(help="RIS_LABEL_STUDIO_API_KEY")] = None,
    database_url: Annotated[str | None, typer.Option(help="RIS_DATABASE_URL")] = None,
) -> None:
    """Walk the chain from the database to a webhook that arrives; say for each failure what to change where.

    Example: `ris doctor --project 3`
    """
    settings = config.from_env(
        label_studio_url=url, label_studio_api_key=SecretStr(key) if key else None, database_url=database_url
    )
    password = settings.basic_auth_password
    ours = Backend(
        (backend or f"http://{settings.host}:{settings.port}").rstrip("/"),
        settings.basic_auth_user,
        password.get_secret_value() if password else "",
    )
    checks = [_database(settings), _disk(settings), _models(settings), _server(settings, ours)]
    client, secret = assembly.label_studio(settings), settings.label_studio_api_key
    checks += examine_studio(client, secret.get_secret_value() if secret else "", assembly.utc_now())
    if project is not None and all(check.holds for check in checks if check.what in ("Label Studio", "key")):
        checks += examine_project(client, project, ours, lambda: _delivered(settings, ours))
        checks.append(examine_predictions(client, project, more_than=1))
    table = Table("", "link", "")
    for check in checks:
        table.add_row("ok" if check.holds else "TO DO", check.what, check.says)
    console.print(table, markup=False)
    failed = sum(not check.holds for check in checks)
    if failed:
        raise LabelStudioError(f"{failed} of {len(checks)} links do not hold; the table says what to change")


def _database(settings: Settings) -> Check:
    try:
        Database.open(settings.database_url).close()
    except BackendError as error:
        return Check("database", False, str(error))
    return Check("database", True, "open, writable, at this program's revision")


def _disk(settings: Settings) -> Check:
    name = settings.database_url.removeprefix("sqlite:///")
    folder = Path(name).resolve().parent if name != settings.database_url else Path.cwd()
    free = shutil.disk_usage(folder if folder.is_dir() else Path.cwd()).free
    says = f"{free / 2**30:.1f} GiB free beside the database"
    return Check("disk", free > LITTLE_DISK_BYTES, says if free > LITTLE_DISK_BYTES else f"{says}: make room")


def _models(settings: Settings) -> Check:
    try:
        plan = assembly.planned(settings)
    except BackendError as error:
        return Check("models", False, str(error))
    return Check("models", True, f"{plan.version}, {plan.arithmetic}: {plan.preset.summary}")


def _server(settings: Settings, ours: Backend) -> Check:
    """Our own server, asked from here; Label Studio may need another way to it."""
    here = f"http://{'127.0.0.1' if settings.host == '0.0.0.0' else settings.host}:{settings.port}"
    try:
        said = httpx.get(f"{here}/health/ready", timeout=3, auth=_auth(ours)).json()
    except (httpx.HTTPError, ValueError) as error:
        return Check("server", False, f"{here} does not answer ({type(error).__name__}): start `ris serve`")
    models, database = said.get("models"), said.get("database", "ready")
    if models not in ("ready", "loading") or database != "ready":
        says = said.get("error") or (models if database == "ready" else database)
        return Check("server", False, f"{here} cannot work: {says}")
    return Check("server", True, f"{here} answers, models {models}; Label Studio is told {ours.url}")


def _auth(ours: Backend) -> tuple[str, str] | None:
    return (ours.user, ours.password) if ours.password else None


def _delivered(settings: Settings, ours: Backend) -> int | None:
    """How many webhooks the server has counted; None when it does not say."""
    here = f"http://{'127.0.0.1' if settings.host == '0.0.0.0' else settings.host}:{settings.port}"
    try:
        text = httpx.get(f"{here}/metrics", timeout=3, auth=_auth(ours)).raise_for_status().text
    except httpx.HTTPError:
        return None
    return int(
        sum(float(found) for found in re.findall(r"^ris_events_total\{.*\} ([\d.e+]+)$", text, re.MULTILINE))
    )

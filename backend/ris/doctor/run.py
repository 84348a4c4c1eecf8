"""Run all checks of `ris doctor`."""

from dataclasses import replace

from ris import assembly
from ris.config import Settings
from ris.doctor.check import Check
from ris.doctor.installation import (
    check_database,
    check_disk,
    check_models,
    check_own_address,
    check_server,
    check_server_key,
    check_sync,
    count_received_webhooks,
)
from ris.doctor.label_studio import check_label_studio, check_predictions, check_project
from ris.doctor.vision_model import check_vision_model
from ris.labelstudio.api.connecting import MLBackend
from ris.labelstudio.api.protocol import LabelStudioApi
from ris.redaction.text import redact_text
from ris.store.session import Database


def run_checks(
    settings: Settings, api: LabelStudioApi, *, project: int | None = None, url: str | None = None
) -> list[Check]:
    """Check this installation, Label Studio, and a project.

    Args:
        settings: of this installation.
        api: Label Studio.
        project: its number in Label Studio; None checks no project.
        url: the address of `ris serve` as Label Studio reaches it; None takes it from the settings.

    Returns:
        One result per check, in order, its message redacted. The project is checked only if Label Studio
        answers, accepts our key, and can be told our address.
    """
    own_address, backend = check_own_address(settings, url)
    checks = [
        check_database(settings),
        check_disk(settings),
        check_models(settings),
        check_server(settings),
        own_address,
    ]
    if checks[3].is_ok and (server_key := check_server_key(settings)):
        checks.append(server_key)
    if checks[0].is_ok:
        checks.append(check_sync(settings))
    if vision_model := check_vision_model(settings):
        checks.append(vision_model)
    key = settings.label_studio_api_key
    checks += check_label_studio(api, key.get_secret_value() if key else "", assembly.get_utc_now())
    can_call = all(check.is_ok for check in checks if check.name in ("Label Studio", "key"))
    if project is not None and backend is not None and can_call:
        checks += _check_project(settings, api, project, backend, has_database=checks[0].is_ok)
        checks.append(check_predictions(api, project, more_than=1))
    return [replace(check, message=redact_text(check.message)) for check in checks]


def _check_project(
    settings: Settings, api: LabelStudioApi, project: int, backend: MLBackend, *, has_database: bool
) -> list[Check]:
    """Check a project. Without a database nobody knows which token its webhook must have."""
    if not has_database:
        return check_project(api, project, backend, lambda: count_received_webhooks(settings))
    database = Database.open(settings.database_url)
    try:
        tokens = assembly.make_project_tokens(settings, database)
        return check_project(api, project, backend, lambda: count_received_webhooks(settings), tokens)
    finally:
        database.close()

"""`ris doctor`: check everything between the database and a webhook that arrives."""

from typing import Annotated

import typer

from ris import assembly
from ris.cli.console import console, make_table
from ris.cli.options import BackendOption, DatabaseUrlOption, KeyOption, UrlOption, apply_options
from ris.doctor.check import Check
from ris.doctor.run import run_checks
from ris.errors import LabelStudioError

_TOTAL_S = 300.0  # for all calls: there are about ten, and one per 100 tasks with duplicate predictions


def doctor(
    project: Annotated[
        int | None, typer.Option(help="its number in Label Studio; without, no project is checked")
    ] = None,
    backend: BackendOption = None,
    url: UrlOption = None,
    key: KeyOption = None,
    database_url: DatabaseUrlOption = None,
) -> None:
    """Check database, models, server, Label Studio and a project; say for each failure what to change.

    Example: `ris doctor --project 3`
    """
    settings = apply_options(url=url, key=key, database_url=database_url)
    client = assembly.make_label_studio_client(settings, total_s=_TOTAL_S)
    checks = run_checks(settings, client, project=project, url=backend)
    table = make_table("", "check", "", name="checks", keys=("state", "check", "message"))
    for check in checks:
        table.add_row(_get_state(check), check.name, check.message)
    console.print(table, markup=False)
    n_failed = sum(not check.is_ok for check in checks)
    if n_failed:
        raise LabelStudioError(f"{n_failed} of {len(checks)} checks failed; see the table")


def _get_state(check: Check) -> str:
    if not check.is_ok:
        return "TO DO"
    return "warning" if check.is_warning else "ok"

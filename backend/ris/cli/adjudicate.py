"""`ris adjudicate`: have somebody settle the tasks on which people disagree."""

from pathlib import Path
from typing import Annotated

import typer

from ris import assembly, label_config
from ris.cli.console import console, make_table
from ris.cli.options import (
    BackendOption,
    DatabaseUrlOption,
    KeyOption,
    UrlOption,
    apply_options,
    resolve_project,
)
from ris.export.text import write_lines
from ris.labelstudio.api.connecting import ensure_webhook
from ris.labelstudio.api.sync import read_project
from ris.quality.outcome_lines import to_outcome_line
from ris.redaction.text import redact_text
from ris.service.adjudicating import AdjudicationService, FillResult, open_adjudication_project
from ris.store.session import Database
from ris.store.settled import read_settled_tasks

ADJUDICATION_CONFIG = "adjudicate_brush.xml"


def adjudicate(
    project: Annotated[
        str,
        typer.Option(
            callback=resolve_project,
            metavar="<int>",
            help="number of the project whose answers are compared",
        ),
    ],
    into: Annotated[
        str, typer.Option(help="project to fill: its number, or a title; one that is not there is created")
    ],
    most: Annotated[int, typer.Option(min=1, max=100_000, help="add so many tasks, the worst first")] = 500,
    outcomes: Annotated[
        Path | None, typer.Option(help="write what was settled to this file, as JSON Lines")
    ] = None,
    backend: BackendOption = None,
    url: UrlOption = None,
    key: KeyOption = None,
    database_url: DatabaseUrlOption = None,
) -> None:
    """Fill a project with the tasks on which people disagree, so that somebody settles them.

    Each different answer is an alternative that one key takes. Nothing says whose it is. The answers that
    settle tasks come back as all answers do, and `ris export --resolve adjudicated` takes them.

    It can be run again: no task is added twice, and what is settled stays.

    Example: `ris adjudicate --project 3 --into "Mugs, adjudicated"`
    """
    settings = apply_options(url=url, key=key, database_url=database_url)
    own = assembly.make_ml_backend(settings, backend)
    syncing = assembly.make_sync_service(settings, lambda tasks: False)
    try:
        number = open_adjudication_project(syncing.api, into, label_config.read(ADJUDICATION_CONFIG))
        ensure_webhook(syncing.api, number, own, assembly.make_project_tokens(settings, syncing.database))
        with console.status(f"reading project {number}"):
            syncing.sync(number)
        service = AdjudicationService(syncing.database, syncing.api, now=assembly.get_utc_now)
        with console.status("comparing answers"):
            filled = read_project(syncing.api, number)
            found = service.fill(project, filled, most=most)
        if outcomes is not None:
            n_settled = _write_outcomes(syncing.database, filled.key, outcomes)
            console.print(f"{outcomes}: {n_settled} settled tasks", markup=False)
    finally:
        syncing.recording.close()
        syncing.database.close()
    _print_result(number, found, most)
    where = (settings.label_studio_public_url or settings.label_studio_url).rstrip("/")
    console.print(redact_text(f"{where}/projects/{number}/data"))


def _write_outcomes(database: Database, project: str, out: Path) -> int:
    """Write the settled tasks of a project, and return their number."""
    with database.begin() as session:
        return write_lines(map(to_outcome_line, read_settled_tasks(session, project)), out)


def _print_result(number: int, found: FillResult, most: int) -> None:
    table = make_table("tasks", "count", title=f"adjudication in project {number}", name="adjudication")
    for name, count in (
        ("people disagree", found.n_disputed),
        ("added now", found.n_added),
        ("alternatives written again", found.n_changed),
        ("waiting", found.n_waiting),
        ("settled", found.n_settled),
    ):
        table.add_row(name, count)
    console.print(table)
    if found.n_left:
        console.print(f"{found.n_left} more are not added, because --most is {most}")
    if found.n_agreed:
        console.print(f"{found.n_agreed} tasks wait on which people agree by now: they can be removed there")
    if found.n_cut:
        console.print(f"{found.n_cut} tasks have more masks than labels: the most frequent ones are offered")

"""`ris sync`: read Label Studio's own state and close every gap."""

from typing import Annotated

import typer
from rich.table import Table

from ris import assembly, config
from ris.cli.console import console
from ris.errors import InputError


def sync(
    project: Annotated[
        list[int] | None, typer.Option(help="its number in Label Studio; again for several; all without")
    ] = None,
    database_url: Annotated[str | None, typer.Option(help="RIS_DATABASE_URL")] = None,
) -> None:
    """Compare the decisions on record with Label Studio, apply what is missing, mark what is gone.

    Predictions that are there twice are removed, and a webhook that was switched off is switched on again.

    Example: `ris sync --project 3`
    """
    syncing = assembly.syncing_of(config.from_env(database_url=database_url))
    try:
        numbers = project or syncing.known_projects()
        if not numbers:
            raise InputError("no project is on record yet; name one with --project")
        table = Table(
            "project", "in Label Studio", "here", "applied", "gone", "not understood", "doubled", ""
        )
        for number in numbers:
            with console.status(f"reading project {number}"):
                done = syncing.sync(number)
            verdict = "agree" if done.agrees else "differ: see `ris events --failed`"
            counts = (done.there, done.here, done.applied, done.gone, done.failed, done.doubled)
            table.add_row(done.project, *map(str, counts), verdict)
            if done.webhook:
                console.print(f"project {number}: its webhook is mended: {done.webhook}")
        console.print(table)
    finally:
        syncing.recording.close()
        syncing.database.close()

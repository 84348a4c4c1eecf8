"""`ris sync`: compare the database with Label Studio and correct it."""

from typing import Annotated

import typer

from ris import assembly, config
from ris.cli.console import console, make_table
from ris.cli.options import DatabaseUrlOption
from ris.errors import InputError


def sync(
    project: Annotated[
        list[int] | None,
        typer.Option(help="number of a project in Label Studio; repeat for several; default: all"),
    ] = None,
    database_url: DatabaseUrlOption = None,
) -> None:
    """Compare the recorded decisions with Label Studio, and correct them.

    Missing decisions are recorded, and decisions whose annotation was deleted are marked as deleted.
    Duplicate predictions are removed, and a webhook that was switched off is switched on.

    Example: `ris sync --project 3`
    """
    syncing = assembly.make_sync_service(config.read_settings(database_url=database_url))
    try:
        numbers = project or syncing.find_project_numbers()
        if not numbers:
            raise InputError("the database has no project yet; name one with --project NUMBER")
        table = make_table(
            "project",
            "in Label Studio",
            "in the database",
            "recorded now",
            "deleted",
            "failed",
            "duplicates",
            "",
        )
        for number in numbers:
            with console.status(f"reading project {number}"):
                done = syncing.sync(number)
            verdict = "agree" if done.is_in_sync else "differ: see `ris events --failed`"
            counts = (
                done.n_in_label_studio,
                done.n_recorded,
                done.n_applied,
                done.n_gone,
                done.n_failed,
                done.n_duplicates,
            )
            table.add_row(done.project, *map(str, counts), verdict)
            if done.webhook:
                console.print(f"project {number}: its webhook was corrected: {done.webhook}")
        console.print(table)
    finally:
        syncing.recording.close()
        syncing.database.close()

"""`ris events`: the inbox."""

from typing import Annotated

import typer
from rich.table import Table

from backend import assembly, config
from backend.cli.console import console
from backend.service import Recording
from backend.store.inbox import event_counts, failed_events, renew_events
from backend.store.session import Database

app = typer.Typer(help="What Label Studio told us, event by event.", invoke_without_command=True)

Url = Annotated[str | None, typer.Option("--database-url", help="RIS_DATABASE_URL")]


@app.callback()
def show(
    context: typer.Context,
    failed: Annotated[bool, typer.Option("--failed", help="list those that were not understood")] = False,
    database_url: Url = None,
) -> None:
    """Count the events by what became of them; with --failed, list those that were not understood.

    Example: `ris events --failed`
    """
    if context.invoked_subcommand:
        return
    database = Database.open(config.from_env(database_url=database_url).database_url)
    try:
        with database.begin() as session:
            counts, listed = event_counts(session), failed_events(session)
    finally:
        database.close()
    console.print(", ".join(f"{count} {state}" for state, count in counts.items()))
    if failed and listed:
        table = Table("event", "action", "why it was not understood")
        for number, action, reason in listed:
            table.add_row(str(number), action, reason)
        console.print(table)


@app.command()
def replay(
    events: Annotated[
        list[int] | None, typer.Argument(help="their numbers; without, all that were not understood")
    ] = None,
    database_url: Url = None,
) -> None:
    """Work on events again. What they said is kept once, however often that is done.

    Example: `ris events replay 17 18`
    """
    database = Database.open(config.from_env(database_url=database_url).database_url)
    try:
        with database.begin() as session:
            renewed = renew_events(session, events)
        recording = Recording(database, now=assembly.utc_now)
        while recording.work_off():
            pass
        recording.close()
        with database.begin() as session:
            counts = event_counts(session)
    finally:
        database.close()
    console.print(f"{renewed} worked on again: " + ", ".join(f"{n} {state}" for state, n in counts.items()))

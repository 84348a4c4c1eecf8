"""`ris events`: the webhook events in the database, and those that failed."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer
from rich.table import Table

from ris import assembly, config
from ris.cli.console import console, make_table
from ris.cli.options import DatabaseUrlOption, ProjectKeyOption
from ris.errors import InputError
from ris.labelstudio.failure import find_advice
from ris.labelstudio.fields import find_project_number
from ris.service import RecordingService
from ris.store.current import lock_decisions
from ris.store.failures import (
    FailedAnswer,
    FailureGroup,
    dismiss_failures,
    find_newest_failures,
    group_failures,
)
from ris.store.history import count_decisions, read_corrections
from ris.store.inbox import count_events, requeue_events
from ris.store.session import Database

events_app = typer.Typer(help="Show the webhook events that Label Studio sent.", invoke_without_command=True)

STATE_WORDS = {"new": "waiting", "done": "processed", "failed": "failed"}

DISMISS_HELP = (
    "`ris events --cause CAUSE` lists the events of one cause. `ris events dismiss NUMBER` removes one from "
    "the list, e.g. a webhook without a payload after `ris sync` has read the annotations."
)


@events_app.callback()
def show_events(
    context: typer.Context,
    failed: Annotated[
        bool, typer.Option("--failed", help="group the failed events by cause, with the action for each")
    ] = False,
    cause: Annotated[str | None, typer.Option(help="list the newest failed events of one cause")] = None,
    most: Annotated[int, typer.Option(min=1, help="maximum number that --cause lists")] = 50,
    database_url: DatabaseUrlOption = None,
) -> None:
    """Show the webhook events that Label Studio sent.

    Prints the number of events by state. With --failed it groups the failed ones by cause.

    Example: `ris events --failed`
    """
    if context.invoked_subcommand:
        return
    database = Database.open(config.read_settings(database_url=database_url).database_url)
    try:
        with database.begin() as session:
            counts = count_events(session)
            groups = group_failures(session) if failed else []
            listed = find_newest_failures(session, cause, most=most) if cause else []
    finally:
        database.close()
    console.print(_make_state_table(counts))
    if groups:
        console.print(_make_cause_table(groups), markup=False)
        console.print(DISMISS_HELP)
    if listed:
        console.print(_make_failure_table(listed), markup=False)
    elif cause:
        raise InputError(
            f"there is no failed event of the cause {cause!r}; `ris events --failed` lists the causes"
        )


def _make_state_table(counts: Mapping[str, int]) -> Table:
    table = make_table("state", "events", title="webhook events", name="states")
    for state, count in counts.items():
        table.add_row(STATE_WORDS[state], count)
    return table


def _make_cause_table(groups: Sequence[FailureGroup]) -> Table:
    title = "failed events: these annotations are not counted as decisions"
    table = make_table("cause", "annotations", "what to do", "newest", title=title, name="causes")
    for group in groups:
        newest = f"event {group.newest.event}: {group.newest.sentence}"
        table.add_row(group.cause, group.n_answers, find_advice(group.cause), newest)
    return table


def _make_failure_table(failures: Sequence[FailedAnswer]) -> Table:
    table = make_table("event", "project", "task", "reason", name="failures")
    for one in failures:
        number = find_project_number(one.project) if one.project else None
        table.add_row(one.event, number, one.task_id, one.sentence)
    return table


@events_app.command()
def history(
    annotation: Annotated[int, typer.Argument(help="the annotation's number in Label Studio")],
    project: ProjectKeyOption = None,
    database_url: DatabaseUrlOption = None,
) -> None:
    """Show every version of one annotation, oldest first, also of a deleted one.

    Example: `ris events history 17`
    """
    database = Database.open(config.read_settings(database_url=database_url).database_url)
    try:
        with database.begin() as session:
            versions = read_corrections(session, project, annotation)
    finally:
        database.close()
    if not versions:
        where = f" in project {project}" if project else ""
        raise InputError(
            f"no version of annotation {annotation} is on record{where}; `ris sync` reads what is missing"
        )
    table = make_table(
        "project", "when", "verdict", "rank", title=f"annotation {annotation}", name="versions"
    )
    for one in versions:
        when = one.annotation.updated_at.isoformat(" ", "seconds")
        number = find_project_number(one.annotation.task.project)
        table.add_row(number, when, one.verdict.value, None if one.rank is None else one.rank + 1)
    console.print(table, markup=False)


@events_app.command()
def replay(
    events: Annotated[
        list[int] | None, typer.Argument(help="numbers of events; default: all failed ones")
    ] = None,
    database_url: DatabaseUrlOption = None,
) -> None:
    """Process events again. A decision is stored once, however often its event is processed.

    Example: `ris events replay 17 18`
    """
    database = Database.open(config.read_settings(database_url=database_url).database_url)
    try:
        with database.begin() as session:
            renewed = requeue_events(session, events)
        recording = RecordingService(database, now=assembly.get_utc_now)
        recording.process_arrived_events()
        recording.close()
        with database.begin() as session:
            counts = count_events(session)
    finally:
        database.close()
    states = ", ".join(f"{n} {STATE_WORDS[state]}" for state, n in counts.items())
    console.print(f"processed again: {renewed}; webhook events now: {states}")


@events_app.command()
def dismiss(
    events: Annotated[list[int], typer.Argument(help="numbers of events that failed")],
    database_url: DatabaseUrlOption = None,
) -> None:
    """Remove failed events from the list, e.g. those of a webhook without a payload.

    They stay in the database. If an older version of such an annotation could be read, it is the decision
    again.

    Example: `ris events dismiss 17 18`
    """
    database = Database.open(config.read_settings(database_url=database_url).database_url)
    try:
        with database.begin() as session:
            lock_decisions(session)
            before = count_decisions(session)
            dismissed = dismiss_failures(session, events, now=assembly.get_utc_now())
            again = count_decisions(session) - before
    finally:
        database.close()
    console.print(f"{dismissed} dismissed")
    if again:
        console.print(f"older versions of these annotations count again: {again}")

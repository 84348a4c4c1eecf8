"""`ris sync`: compare the database with Label Studio and correct it. `ris forget`: leave a project out."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from ris import assembly, config
from ris.cli.console import console, make_table
from ris.cli.options import DatabaseUrlOption
from ris.errors import BackendError, InputError, LabelStudioError
from ris.labelstudio.api.duplicates import DuplicatedTask
from ris.labelstudio.fields import MAX_ID, find_project_number
from ris.store.history import find_project_keys
from ris.store.session import Database
from ris.store.sync_states import forget_project

_MAX_LISTED_TASKS = 20


def sync(
    project: Annotated[
        list[int] | None,
        typer.Option(
            help="number of a project in Label Studio; repeat for several; default: all", min=0, max=MAX_ID
        ),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="compare all annotations, not only those of changed tasks")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="remove duplicate predictions in Label Studio without asking")
    ] = False,
    database_url: DatabaseUrlOption = None,
) -> None:
    """Compare the recorded decisions with Label Studio, and correct them.

    Missing decisions are recorded, and decisions whose annotation was deleted are marked as deleted. A
    webhook that was switched off, changed or deleted is repaired.

    Only tasks that changed since the last sync are read. Once a day, after a repair of the webhook, and with
    --full all annotations are: this also finds deleted tasks, and lists duplicate predictions. They are
    removed if you agree; where nobody can be asked they stay.

    A project that fails does not stop the others; the exit code is 1 then.

    Example: `ris sync --project 3`
    """
    syncing = assembly.make_sync_service(
        config.read_settings(database_url=database_url), lambda tasks: yes or _may_remove(tasks)
    )
    try:
        numbers = project or syncing.find_project_numbers()
        if not numbers:
            raise InputError("the database has no project yet; name one with --project NUMBER")
        table = make_table(
            "project",
            "in Label Studio",
            "in the database",
            "added here",
            "deleted in Label Studio",
            "failed",
            "duplicates",
            "",
            name="projects",
            keys=(
                "project",
                "in_label_studio",
                "in_database",
                "added",
                "deleted",
                "failed",
                "duplicates",
                "state",
            ),
        )
        failures = make_table("project", "failure", name="failures")
        for number in numbers:
            try:
                with console.status(f"reading project {number}"):
                    done = syncing.sync(number, compares_all=full)
            except BackendError as error:
                if len(numbers) == 1:
                    raise
                failures.add_row(number, str(error))
                continue
            verdict = "in step" if done.is_in_sync else "differ: see `ris events --failed`"
            counts = (
                done.n_in_label_studio,
                done.n_recorded,
                done.n_applied,
                done.n_gone,
                done.n_failed,
                done.n_duplicates,
            )
            table.add_row(number, *counts, verdict)
            if done.webhook:
                console.print(f"project {number}: its webhook was corrected: {done.webhook}")
        console.print(table)
        if failures.row_count:
            console.print(failures, markup=False)
            raise LabelStudioError(
                f"{failures.row_count} of {len(numbers)} projects could not be synced; the table says why"
            )
    finally:
        syncing.recording.close()
        syncing.database.close()


def _may_remove(tasks: Sequence[DuplicatedTask]) -> bool:
    """Show which duplicate predictions would be removed, and ask. They stay where nobody can be asked."""
    n_predictions = sum(len(task.surplus) for task in tasks)
    what = f"{n_predictions} duplicate predictions of {len(tasks)} tasks in Label Studio"
    for task in tasks[:_MAX_LISTED_TASKS]:
        console.print(f"task {task.task_id}: predictions {', '.join(map(str, task.surplus))} are duplicates")
    if len(tasks) > _MAX_LISTED_TASKS:
        console.print(f"and {len(tasks) - _MAX_LISTED_TASKS} further tasks")
    if not sys.stdin.isatty():
        console.print(f"{what} stay; `ris sync --yes` removes them")
        return False
    return typer.confirm(f"Remove {what}?", err=True)


def forget(
    project: Annotated[
        int, typer.Argument(help="number of a project that is gone in Label Studio", min=0, max=MAX_ID)
    ],
    database_url: DatabaseUrlOption = None,
) -> None:
    """Stop syncing a project that is gone in Label Studio. Its decisions stay in the database.

    `ris sync --project NUMBER` takes it up again, and so does a new project with this number.

    Example: `ris forget 3`
    """
    database = Database.open(config.read_settings(database_url=database_url).database_url)
    try:
        with database.begin() as session:
            if project not in {find_project_number(key) for key in find_project_keys(session)}:
                raise InputError(f"the database has no project {project}; `ris sync` lists the projects")
            forget_project(session, project, at=assembly.get_utc_now())
    finally:
        database.close()
    console.print(f"project {project} is not synced any more; its decisions stay in the database")

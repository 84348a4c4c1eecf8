"""`ris tidy`: keep only the chosen mask of decided annotations in Label Studio."""

from collections.abc import Sequence
from typing import Annotated

import typer

from ris import assembly, config
from ris.cli.console import confirm_change, console, make_table
from ris.errors import LabelStudioError
from ris.labelstudio.api.client import LabelStudioClient
from ris.service.tidying import TidyResult, tidy_project


def tidy(
    project: Annotated[int, typer.Option(help="project number in Label Studio, e.g. 3")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="print the changes without making them")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="make the changes without asking")] = False,
) -> None:
    """Remove the masks that were not chosen from decided annotations.

    It shows what it would change, and asks. The annotations in Label Studio are rewritten. The database
    keeps their full history.

    Example: `ris tidy --project 3`
    """
    client = assembly.make_label_studio_client(config.read_settings())
    n_read, changed, failed = _tidy(client, project, dry_run=True)
    table = make_table("annotation", "regions removed", name="annotations")
    for one in changed:
        table.add_row(one.annotation_id, one.n_removed)
    if changed:
        console.print(table)
    regions = sum(one.n_removed for one in changed)
    console.print(f"{len(changed)} of {n_read} annotations would be rewritten, {regions} regions removed")
    if dry_run or not changed:
        _report_failures(failed, n_read)
        return
    if not yes:
        confirm_change(f"Rewrite {len(changed)} annotations in Label Studio?")
    n_read, done, failed = _tidy(client, project, dry_run=False)
    console.print(
        f"{len(done)} of {n_read} annotations were rewritten, "
        f"{sum(one.n_removed for one in done)} regions removed"
    )
    _report_failures(failed, n_read)


def _tidy(
    client: LabelStudioClient, project: int, *, dry_run: bool
) -> tuple[int, list[TidyResult], list[TidyResult]]:
    """Return how many annotations were read, those that change, and those that failed."""
    n_read, changed, failed = 0, [], []
    with console.status("reading") as status:
        for one in tidy_project(client, project, dry_run=dry_run):
            n_read += 1
            status.update(f"{n_read} annotations")
            if one.n_removed:
                changed.append(one)
            elif one.failure:
                failed.append(one)
    return n_read, changed, failed


def _report_failures(failed: Sequence[TidyResult], n_read: int) -> None:
    for one in failed:
        console.print(f"annotation {one.annotation_id}: {one.failure}", markup=False)
    if failed:
        raise LabelStudioError(f"{len(failed)} of {n_read} annotations could not be read or rewritten")

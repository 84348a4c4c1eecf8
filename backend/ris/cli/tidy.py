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
    planned = _tidy(client, project, dry_run=True)
    changed = [one for one in planned if one.n_removed]
    table = make_table("annotation", "regions removed", name="annotations")
    for one in changed:
        table.add_row(one.annotation_id, one.n_removed)
    if changed:
        console.print(table)
    regions = sum(one.n_removed for one in changed)
    console.print(
        f"{len(changed)} of {len(planned)} annotations would be rewritten, {regions} regions removed"
    )
    if dry_run or not changed:
        _report_failures(planned)
        return
    if not yes:
        confirm_change(f"Rewrite {len(changed)} annotations in Label Studio?")
    found = _tidy(client, project, dry_run=False)
    done = [one for one in found if one.n_removed]
    console.print(
        f"{len(done)} of {len(found)} annotations were rewritten, "
        f"{sum(one.n_removed for one in done)} regions removed"
    )
    _report_failures(found)


def _tidy(client: LabelStudioClient, project: int, *, dry_run: bool) -> list[TidyResult]:
    done = 0
    with console.status("reading") as status:

        def count_annotation() -> None:
            nonlocal done
            done += 1
            status.update(f"{done} annotations")

        return tidy_project(client, project, dry_run=dry_run, on_annotation=count_annotation)


def _report_failures(found: Sequence[TidyResult]) -> None:
    failed = [one for one in found if one.failure]
    for one in failed:
        console.print(f"annotation {one.annotation_id}: {one.failure}", markup=False)
    if failed:
        raise LabelStudioError(f"{len(failed)} of {len(found)} annotations could not be read or rewritten")

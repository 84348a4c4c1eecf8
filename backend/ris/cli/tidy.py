"""`ris tidy`: keep only the chosen mask of decided annotations in Label Studio."""

from typing import Annotated

import typer

from ris import assembly, config
from ris.cli.console import console
from ris.service.tidying import tidy_project


def tidy(
    project: Annotated[int, typer.Option(help="number of the project in Label Studio")],
    dry_run: Annotated[bool, typer.Option(help="print the changes without making them")] = False,
) -> None:
    """Remove the masks that were not chosen from decided annotations.

    The annotations in Label Studio are rewritten. The database keeps their full history.

    Example: `ris tidy --project 3 --dry-run`
    """
    client = assembly.make_label_studio_client(config.read_settings())
    done = 0

    with console.status("reading") as status:

        def count_annotation() -> None:
            nonlocal done
            done += 1
            status.update(f"{done} annotations")

        found = tidy_project(client, project, dry_run=dry_run, on_annotation=count_annotation)
    changed = [one for one in found if one.n_removed]
    regions = sum(one.n_removed for one in changed)
    verb = "would be" if dry_run else "were"
    console.print(f"{len(changed)} of {len(found)} annotations {verb} rewritten, {regions} regions removed")
    for one in found:
        if one.failure:
            console.print(f"annotation {one.annotation_id}: {one.failure}", markup=False)

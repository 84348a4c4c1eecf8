"""`ris db`: create and upgrade the database, and see and reduce what it holds."""

from typing import Annotated

import typer
from rich.filesize import decimal
from rich.progress import track

from ris import config
from ris.cli.console import confirm_change, console, make_table
from ris.cli.options import DatabaseUrlOption
from ris.store.judged import fill_comparisons
from ris.store.packing import compress_old_rows
from ris.store.pruning import find_prunable, prune_rows
from ris.store.session import Database, read_revision, upgrade_database
from ris.store.sizes import count_images, measure_columns, measure_tables

_MAX_COLUMNS = 12  # that `ris db size` lists
db_app = typer.Typer(help="Manage the database.", no_args_is_help=True)


@db_app.command()
def upgrade(database_url: DatabaseUrlOption = None) -> None:
    """Create the database, or upgrade it to the revision of this program. No data is lost.

    Example: `ris db upgrade --database-url sqlite:///ris.db`
    """
    url = config.read_settings(database_url=database_url).database_url
    upgrade_database(url)
    database = Database.open(url)
    try:
        n_compared = sum(fill_comparisons(database))
        n_compressed = sum(compress_old_rows(database))
    finally:
        database.close()
    if n_compared:
        console.print(f"answers compared with their alternatives, for the figures: {n_compared}")
    if n_compressed:
        console.print(f"rows of masks and explanations that were compressed: {n_compressed}")
    console.print(f"the database is at revision {read_revision(url)}")


@db_app.command()
def size(database_url: DatabaseUrlOption = None) -> None:
    """Show where the bytes of the database are.

    The rows of each table are counted, which takes a while for a large record.

    Example: `ris db size`
    """
    database = Database.open(config.read_settings(database_url=database_url).database_url)
    try:
        with database.begin() as session:
            tables, columns, n_images = (
                measure_tables(session),
                measure_columns(session),
                count_images(session),
            )
    finally:
        database.close()
    shown = make_table("table", "rows", "bytes", "index bytes", numbers=True, name="tables")
    for one in tables:
        shown.add_row(one.name, one.n_rows, one.n_bytes, one.n_index_bytes)
    console.print(shown)
    largest = make_table("column", "bytes", "bytes an image", numbers=True, name="columns")
    for column in columns[:_MAX_COLUMNS]:
        largest.add_row(
            f"{column.table}.{column.column}",
            column.n_bytes,
            round(column.n_bytes / n_images, 1) if n_images else None,
        )
    console.print(largest)
    console.print(f"{n_images} images")


@db_app.command()
def prune(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="print what would be dropped, and end")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="drop without asking")] = False,
    database_url: DatabaseUrlOption = None,
) -> None:
    """Drop proposals and explanations of superseded versions that no decision refers to.

    Decisions, and the alternatives that annotators saw, stay. It shows what it would drop, and asks. A server
    may run meanwhile.

    Example: `ris db prune --dry-run`
    """
    database = Database.open(config.read_settings(database_url=database_url).database_url)
    try:
        with database.begin() as session:
            found = find_prunable(session)
        total = found.n_tasks + found.n_proposals
        console.print(
            f"explanations of superseded versions: {found.n_tasks}, {decimal(found.n_explanation_bytes)}; "
            f"sets of proposals: {found.n_proposals}, {decimal(found.n_proposal_bytes)}"
        )
        if dry_run or not total:
            return
        if not yes:
            confirm_change("Drop them from the database?")
        n_dropped = sum(track(prune_rows(database), "dropping", console=console, transient=True))
    finally:
        database.close()
    console.print(
        f"dropped {n_dropped} rows. The database uses the space again; its file shrinks by VACUUM alone"
    )

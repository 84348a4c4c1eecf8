"""`ris db`: create and upgrade the database."""

import typer

from ris import config
from ris.cli.console import console
from ris.cli.options import DatabaseUrlOption
from ris.store.judged import fill_comparisons
from ris.store.packing import compress_old_rows
from ris.store.session import Database, read_revision, upgrade_database

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

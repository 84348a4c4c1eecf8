"""`ris export`: the corrected data leaves."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from backend import config
from backend.cli.console import console
from backend.export.coco import write_coco
from backend.export.jsonl import write_jsonl
from backend.store.history import decisions
from backend.store.session import Database


class Format(StrEnum):
    """What can be written."""

    COCO = "coco"
    JSONL = "jsonl"


WRITERS = {Format.COCO: (write_coco, "coco.json"), Format.JSONL: (write_jsonl, "decisions.jsonl")}


def export(
    out: Annotated[Path, typer.Option(help="folder to write into")] = Path("export"),
    format: Annotated[list[Format] | None, typer.Option(help="again for several; all without")] = None,
    project: Annotated[
        str | None, typer.Option(help='one project\'s key, "<id>.<created>"; all without')
    ] = None,
    database_url: Annotated[str | None, typer.Option(help="RIS_DATABASE_URL")] = None,
) -> None:
    """Write the current decisions as files: masks as COCO run lengths, nothing lost.

    Example: `ris export --format coco --out corrected`
    """
    database = Database.open(config.from_env(database_url=database_url).database_url)
    try:
        with database.begin() as session:
            found = list(decisions(session, project=project))
    finally:
        database.close()
    for chosen in format or list(Format):
        write, name = WRITERS[chosen]
        write(found, out / name)
        console.print(f"{out / name}: {len(found)} decisions")

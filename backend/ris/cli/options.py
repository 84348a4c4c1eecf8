"""Options that several commands have, each declared once."""

from typing import Annotated

import typer

DatabaseUrlOption = Annotated[str | None, typer.Option("--database-url", help="RIS_DATABASE_URL")]
PresetOption = Annotated[str | None, typer.Option("--preset", help="RIS_PRESET; see `ris models list`")]
LabelStudioUrlOption = Annotated[str | None, typer.Option("--url", help="RIS_LABEL_STUDIO_URL")]
ApiKeyOption = Annotated[str | None, typer.Option("--key", help="RIS_LABEL_STUDIO_API_KEY")]
ProjectKeyOption = Annotated[
    str | None,
    typer.Option("--project", help='one project, by its key "ID.CREATED", e.g. 3.1700000000; default: all'),
]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON instead of tables")]

"""Options that several commands have, each declared once."""

from typing import Annotated

import typer
from pydantic import SecretStr

from ris import config

BackendOption = Annotated[
    str | None, typer.Option(help="RIS_PUBLIC_URL: address of `ris serve` as Label Studio reaches it")
]
UrlOption = Annotated[str | None, typer.Option(help="RIS_LABEL_STUDIO_URL")]
KeyOption = Annotated[str | None, typer.Option(help="RIS_LABEL_STUDIO_API_KEY")]
DatabaseUrlOption = Annotated[str | None, typer.Option(help="RIS_DATABASE_URL")]
PresetOption = Annotated[str | None, typer.Option(help="RIS_PRESET; see `ris models list`")]
ProjectKeyOption = Annotated[
    str | None,
    typer.Option("--project", help='one project, by its key "ID.CREATED", e.g. 3.1700000000; default: all'),
]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON instead of tables")]


def apply_options(
    *,
    url: str | None = None,
    key: str | None = None,
    database_url: str | None = None,
    preset: str | None = None,
) -> config.Settings:
    """Read the settings; an option that is not None wins over the environment.

    Raises:
        SettingsError: a setting has no meaning.
    """
    return config.read_settings(
        label_studio_url=url, label_studio_api_key=SecretStr(key) if key else None,
        database_url=database_url, preset=preset,
    )  # fmt: skip

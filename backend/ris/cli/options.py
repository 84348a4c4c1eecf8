"""Options that several commands have, each declared once."""

from typing import Annotated

import typer
from pydantic import SecretStr

from ris import config
from ris.errors import InputError
from ris.labelstudio.fields import find_project_number


def resolve_project(context: typer.Context, text: str | None) -> str | None:
    """Find the key under which the database has a project: of its number in Label Studio, or the key itself.

    Raises:
        InputError: the database has no such project, or several with this number.
        StoreError: the database cannot be opened.
    """
    if text is None or context.resilient_parsing:
        return None
    from ris.store.history import find_project_keys  # here: a command without a database needs no SQLAlchemy
    from ris.store.session import Database

    database = Database.open(
        config.read_settings(database_url=context.params.get("database_url")).database_url
    )
    try:
        with database.begin() as session:
            keys = find_project_keys(session)
    finally:
        database.close()
    if text in keys:
        return text
    found = [key for key in keys if str(find_project_number(key)) == text]
    if not found:
        known = sorted({number for key in keys if (number := find_project_number(key)) is not None})
        numbers = f"it has {', '.join(map(str, known[:20]))}" if known else "it has none yet"
        raise InputError(
            f"the database has no project {text!r:.40}; {numbers}. Give the project's number in Label Studio"
        )
    if len(found) > 1:
        raise InputError(
            f"the database has {len(found)} projects with the number {text}, of different times of creation: "
            f"name one with --project {' or --project '.join(found)}"
        )
    return found[0]


BackendOption = Annotated[
    str | None, typer.Option(help="RIS_PUBLIC_URL: address of `ris serve` as Label Studio reaches it")
]
UrlOption = Annotated[str | None, typer.Option(help="RIS_LABEL_STUDIO_URL")]
KeyOption = Annotated[str | None, typer.Option(help="RIS_LABEL_STUDIO_API_KEY")]
# Eager, so that it is known when a project's number is looked up.
DatabaseUrlOption = Annotated[str | None, typer.Option(help="RIS_DATABASE_URL", is_eager=True)]
PresetOption = Annotated[str | None, typer.Option(help="RIS_PRESET; see `ris models list`")]
ProjectKeyOption = Annotated[
    str | None,
    typer.Option(
        "--project", callback=resolve_project, metavar="<int>",
        help="project number in Label Studio, e.g. 3; default: all",
    ),
]  # fmt: skip
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

"""`ris models`: the presets, and what was learned on top of them."""

from typing import Annotated, Any

import typer
from rich.table import Table

from backend import assembly, config
from backend.cli.console import console
from backend.errors import WeightsError
from backend.pretrained.presets import PRESETS
from backend.store.learned import all_learned, in_use

app = typer.Typer(help="The networks and their presets.", no_args_is_help=True)


@app.command("list")
def list_presets() -> None:
    """Show every preset, its model version, its size on disk and what it is good for.

    Example: `ris models list`
    """
    table = Table("preset", "version", "MB", "state", "what it is")
    for preset in PRESETS.values():
        try:
            version, state = assembly.planned(config.from_env(preset=preset.name)).version, "here"
        except WeightsError as error:
            version, state = "-", str(error)
        size_mb = sum(p.stat().st_size for p in preset.folder.rglob("*") if p.is_file()) / 1e6
        table.add_row(preset.name, version, f"{size_mb:.1f}", state, preset.summary)
    console.print(table)


Url = Annotated[str | None, typer.Option("--database-url", help="RIS_DATABASE_URL")]
OfPreset = Annotated[str | None, typer.Option("--preset", help="RIS_PRESET")]


@app.command("versions")
def list_versions(database_url: Url = None, preset: OfPreset = None) -> None:
    """Show what was learned for the preset, version by version, with the figures that speak for it.

    Example: `ris models versions`
    """
    training = assembly.training_of(config.from_env(database_url=database_url, preset=preset))
    try:
        with training.database.begin() as session:
            used = in_use(session, training.base)
            known = [one for one in all_learned(session) if one.base == training.base]
    finally:
        training.database.close()
    table = Table(
        "version", "", "learned", "decisions", "images", "mIoU of the first, gain", "Brier score, lower by"
    )
    table.add_row(training.base, "" if used else "in use", "-", "-", "-", "-", "-")
    for one in known:
        table.add_row(
            one.version, "in use" if used and used.version == one.version else "",
            f"{one.made_at:%Y-%m-%d %H:%M}", str(one.figures.get("decisions", "-")),
            str(one.figures.get("images", "-")), _interval(one.figures.get("gain")),
            _interval(one.figures.get("Brier score, lower by")),
        )  # fmt: skip
    console.print(table)


@app.command("use")
def use_version(
    version: Annotated[
        str, typer.Argument(help="of `ris models versions`; the first goes back to the preset")
    ],
    database_url: Url = None,
    preset: OfPreset = None,
) -> None:
    """Offer from now on what this version ranks; a running server follows with its next request.

    Example: `ris models use tiny-1a2b3c4d`
    """
    training = assembly.training_of(config.from_env(database_url=database_url, preset=preset))
    try:
        training.use(version)
    finally:
        training.database.close()
    console.print(f"in use now: {version}", markup=False)


def _interval(figure: Any) -> str:
    return f"{figure['mean']:+.3f} [{figure['low']:+.3f}, {figure['high']:+.3f}]" if figure else "-"

"""`ris models`: the presets."""

import typer
from rich.table import Table

from backend import assembly, config
from backend.cli.console import console
from backend.errors import WeightsError
from backend.pretrained.presets import PRESETS

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

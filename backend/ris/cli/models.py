"""`ris models`: networks, presets and learned rankings."""

import shutil
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import DownloadColumn, Progress
from rich.table import Table

from ris import assembly, config, planning
from ris.cli.console import confirm_change, console, make_table
from ris.cli.model_probe import probe_vision_model
from ris.cli.options import DatabaseUrlOption, PresetOption
from ris.cli.preset_list import is_network_here, list_presets
from ris.errors import SettingsError, WeightsError
from ris.pretrained.catalog.presets import Preset, find_preset
from ris.pretrained.catalog.sources import Source
from ris.pretrained.catalog.weights import verify_files
from ris.store.learned_rankings import find_learned_rankings, find_ranking_in_use

models_app = typer.Typer(help="Manage networks, presets and learned rankings.", no_args_is_help=True)
models_app.command("probe")(probe_vision_model)


_MAX_UNASKED_BYTES = 10**9

MirrorOption = Annotated[
    str | None, typer.Option("--mirror", help="URL of a folder with the files that are not on the Hub")
]


models_app.command("list")(list_presets)


@models_app.command("fetch")
def fetch_preset(
    preset: Annotated[str, typer.Argument(help="name from `ris models list`")],
    mirror: MirrorOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="download gigabytes without asking")] = False,
) -> None:
    """Download the published networks of a preset and check each file.

    It prints the size and the free disk space, and asks before it downloads more than 1 GB.

    After an interruption, run it again: complete files are kept. `HF_ENDPOINT` names a mirror of the Hub,
    `HF_TOKEN` is the token for networks that need a login.

    Example: `ris models fetch base`
    """
    from ris.pretrained.catalog import fetching  # here: the library of the Hub takes a second to import

    settings = config.read_settings(preset=preset)
    chosen = find_preset(preset, known=planning.load_presets(settings))
    models = planning.get_models_folder(settings)
    console.print(_make_source_table(chosen, models))
    missing = [source for source in chosen.sources if source.parts and not is_network_here(source, models)]
    files = {source.name: fetching.list_required_files(source) for source in missing}
    for source in missing:
        size = sum(file.n_bytes for file in files[source.name]) / 1e9
        console.print(f"{source.name}: {len(files[source.name])} files, {size:.2f} GB", markup=False)
    n_bytes = sum(file.n_bytes for found in files.values() for file in found)
    if missing:
        _check_download(n_bytes, models, yes=yes)
    with Progress(*Progress.get_default_columns(), DownloadColumn(), console=console) as progress:
        bar = progress.add_task(preset, total=n_bytes)
        received: dict[tuple[str, str], int] = {}

        def advance(source: Source, name: str, there: int, total: int) -> None:
            received[source.name, name] = there
            progress.update(bar, completed=sum(received.values()))

        for source in missing:
            folder = fetching.fetch_source(
                source, files[source.name], models, partial(advance, source), mirror=mirror
            )
            received |= {(source.name, file.name): file.n_bytes for file in files[source.name]}
            progress.update(bar, completed=sum(received.values()))
            console.print(f"{source.name} is at {folder}", markup=False)
    console.print(f"{preset} is complete in {models}; use it with RIS_PRESET={preset}", markup=False)


def _check_download(n_bytes: int, models: Path, *, yes: bool) -> None:
    """Print the size of a download and the free disk space, and ask before gigabytes.

    Raises:
        SettingsError: the disk has too little space.
        InputError: the answer is no, or nobody can be asked.
    """
    place = next(folder for folder in (models, *models.absolute().parents) if folder.exists())
    free = shutil.disk_usage(place).free
    size = f"{n_bytes / 1e9:.2f} GB"
    console.print(f"to download: {size} in total; free disk in {place}: {free / 1e9:.1f} GB", markup=False)
    if n_bytes > free:
        raise SettingsError(
            f"the download needs {size}, and the disk of {place} has {free / 1e9:.1f} GB: make room, or set "
            "RIS_MODELS_FOLDER to a folder on another disk"
        )
    if n_bytes > _MAX_UNASKED_BYTES and not yes:
        confirm_change(f"Download {size} into {models}?")


@models_app.command("verify")
def verify_presets(
    preset: Annotated[
        str | None, typer.Argument(help="name from `ris models list`; default: all installed networks")
    ] = None,
) -> None:
    """Compare the SHA-256 of every installed network file with that of the published file.

    Example: `ris models verify base`
    """
    settings = config.read_settings()
    models, known = planning.get_models_folder(settings), planning.load_presets(settings)
    chosen = [find_preset(preset, known=known)] if preset else list(known.values())
    sources = dict.fromkeys(source for one in chosen for source in one.sources)
    failed = []
    for source in sources:
        folder = source.get_folder(models)
        if preset is None and source.parts and not folder.exists():
            continue
        try:
            files = verify_files(folder, f"get it with `ris models fetch {preset or 'PRESET'}`")
        except WeightsError as error:
            failed.append(source.name)
            console.print(f"{source.name}: {error}", markup=False)
        else:
            console.print(f"{source.name}: {len(files)} files are equal to the published ones", markup=False)
    if failed:
        raise WeightsError(
            f"{len(failed)} of {len(sources)} networks are missing or damaged: {', '.join(failed)}; "
            "run `ris models fetch`"
        )


def _make_source_table(preset: Preset, models: Path) -> Table:
    """Make a table of a preset's networks: memory, licence, training data, state."""
    table = make_table(
        "network", "memory, GB", "licence", "training data", "state", title=preset.summary, name="networks"
    )
    for source in preset.sources:
        table.add_row(
            source.name,
            f"{source.memory_mb / 1e3:.2f}" if source.parameters_m else "-",
            source.licence,
            source.training_data,
            "here" if is_network_here(source, models) else "missing",
        )
    return table


@models_app.command("versions")
def list_versions(database_url: DatabaseUrlOption = None, preset: PresetOption = None) -> None:
    """List the learned rankings of the preset, with their gain on held-out images.

    Example: `ris models versions`
    """
    training = assembly.make_training_service(config.read_settings(database_url=database_url, preset=preset))
    try:
        with training.database.begin() as session:
            used = find_ranking_in_use(session, training.base)
            known = [one for one in find_learned_rankings(session) if one.base == training.base]
    finally:
        training.database.close()
    table = make_table(
        "version",
        "",
        "learned at",
        "decisions",
        "images",
        "gain in mean IoU, top 1",
        "Brier score, lower by",
        name="versions",
        keys=("version", "state", "learned_at", "decisions", "images", "gain", "brier_score_lower_by"),
    )
    table.add_row(training.base, "" if used else "in use", None, None, None, None, None)
    for one in known:
        table.add_row(
            one.version, "in use" if used and used.version == one.version else "",
            f"{one.made_at:%Y-%m-%d %H:%M}", one.figures.get("decisions"),
            one.figures.get("images"), _format_interval(one.figures.get("gain")),
            _format_interval(one.figures.get("Brier score, lower by")),
        )  # fmt: skip
    console.print(table)


@models_app.command("use")
def select_version(
    version: Annotated[
        str, typer.Argument(help="version from `ris models versions`; the first is the preset's own ranking")
    ],
    database_url: DatabaseUrlOption = None,
    preset: PresetOption = None,
) -> None:
    """Use this version of the ranking. A running server uses it from the next request on.

    Example: `ris models use tiny-0d0174b0-1a2b3c`
    """
    training = assembly.make_training_service(config.read_settings(database_url=database_url, preset=preset))
    try:
        training.use_version(version)
    finally:
        training.database.close()
    console.print(f"in use now: {version}", markup=False)


def _format_interval(figure: Any) -> str:
    return f"{figure['mean']:+.3f} [{figure['low']:+.3f}, {figure['high']:+.3f}]" if figure else "-"

"""`ris models list`: the presets, and what each costs."""

from pathlib import Path
from typing import Annotated

import typer

from ris import config, planning
from ris.cli.console import console, make_table
from ris.cli.preset_speed import measure_preset
from ris.errors import SettingsError, WeightsError
from ris.pretrained.catalog.costs import estimate_seconds, get_image_cost, measure_product_rate
from ris.pretrained.catalog.presets import Preset
from ris.pretrained.catalog.sources import Source
from ris.pretrained.catalog.weights import check_model_files
from ris.pretrained.precision import choose_precision


def list_presets(
    measure: Annotated[
        bool,
        typer.Option("--measure", help="load each preset that is here, and measure the seconds of an image"),
    ] = False,
) -> None:
    """List the presets: are they here, size, memory, seconds an image, licences, purpose.

    The list includes the presets of your own presets file. An image is a new one with an expression. The
    column "seconds are" says what was measured and what was estimated.

    Example: `ris models list --measure`
    """
    settings, wrong = config.read_settings(), ""
    models = planning.get_models_folder(settings)
    try:
        precision, arithmetic = choose_precision(settings.precision, settings.device, models)
    except SettingsError as error:
        precision, arithmetic, wrong = "fp32", f"fp32 on {settings.device}", str(error)
    settings = settings.model_copy(update={"precision": precision})
    table = make_table(
        "preset", "state", "download, GB", "memory, GB", "s an image, CPU", "s an image, GPU", "seconds are",
        "licences", "description", "version", name="presets",
        keys=(
            "preset", "state", "download_gb", "memory_gb", "cpu_s", "gpu_s", "basis", "licences",
            "description", "version",
        ),
    )  # fmt: skip
    rate = measure_product_rate()
    for preset in planning.load_presets(settings).values():
        try:
            plan = planning.make_plan(settings.model_copy(update={"preset": preset.name}))
            version, state = plan.version, "here"
        except WeightsError:
            missing = [one.name for one in preset.sources if not is_network_here(one, models)]
            version, state = "", f"missing {', '.join(missing)}"
        licences = ", ".join(dict.fromkeys(source.licence for source in preset.sources))
        table.add_row(
            preset.name, state, round(preset.download_gb, 2), round(preset.memory_gb, 2),
            *_find_seconds(settings, preset, rate, is_measured=measure and bool(version)),
            licences, preset.summary, version or None,
        )  # fmt: skip
    console.print(table)
    console.print(f"memory is that of the weights; versions in {arithmetic}. {wrong}".strip(), markup=False)
    if not measure:
        console.print("`ris models list --measure` measures the presets that are here", markup=False)


def _find_seconds(
    settings: config.Settings, preset: Preset, rate: float, *, is_measured: bool
) -> tuple[float | None, float | None, str]:
    """Find the seconds of an image on a CPU and a GPU, and how they are known.

    Args:
        settings: name the device.
        preset: of the image.
        rate: of this machine, of `measure_product_rate`.
        is_measured: measure here; its networks must be here.
    """
    if is_measured:
        with console.status(f"measuring {preset.name}"):
            seconds = round(measure_preset(settings, preset.name), 2)
        if settings.device == "cpu":
            return seconds, None, "CPU: measured here; GPU: not measured"
        return None, seconds, f"CPU: not measured; GPU: measured here on {settings.device}"
    cost = get_image_cost(preset.name)
    seconds_on_cpu = estimate_seconds(cost, rate)
    return None if seconds_on_cpu is None else round(seconds_on_cpu, 1), cost.gpu_s, cost.basis


def is_network_here(source: Source, models: Path) -> bool:
    """Tell whether a network's files are on this machine, undamaged."""
    try:
        check_model_files([source], models, fetch="")
    except WeightsError:
        return False
    return True

"""`ris connect`: a project of Label Studio and this backend."""

from typing import Annotated

import typer
from pydantic import SecretStr
from rich.progress import track
from rich.table import Table

from ris import assembly, config, label_config
from ris.cli.console import console
from ris.errors import InputError
from ris.labelstudio.api import connecting
from ris.labelstudio.api.client import LabelStudioClient
from ris.labelstudio.config.control import read_controls

SAMPLE_PREFIX = "ris-sample"
LABEL_CONFIG_NAMES = (
    "pick_brush", "pick_brush_smart", "pick_bitmask", "pick_polygon", "pick_rectangle", "tabs_brush",
    "tabs_polygon", "type_brush",
)  # fmt: skip


def connect(
    project: Annotated[int | None, typer.Option(help="its number in Label Studio")] = None,
    create: Annotated[str | None, typer.Option(help="make a new project of this title instead")] = None,
    layout: Annotated[
        str | None, typer.Option("--config", help=f"label config to set: {', '.join(LABEL_CONFIG_NAMES)}")
    ] = None,
    backend: Annotated[
        str | None, typer.Option(help="RIS_PUBLIC_URL: address of `ris serve` as Label Studio reaches it")
    ] = None,
    url: Annotated[str | None, typer.Option(help="RIS_LABEL_STUDIO_URL")] = None,
    key: Annotated[str | None, typer.Option(help="RIS_LABEL_STUDIO_API_KEY")] = None,
    samples: Annotated[
        int, typer.Option(help="also upload so many drawn sample tasks, once", min=0, max=200)
    ] = 0,
) -> None:
    """Check or set the label config, add the ML backend, create or repair the webhook. Safe to run twice.

    Example: `ris connect --project 3` or `ris connect --create "My mugs" --config pick_brush`
    """
    settings = config.read_settings(
        label_studio_url=url, label_studio_api_key=SecretStr(key) if key else None
    )
    if layout is not None and layout not in LABEL_CONFIG_NAMES:
        raise InputError(
            f"there is no label config {layout!r}; --config can be {', '.join(LABEL_CONFIG_NAMES)}"
        )
    if (project is None) == (create is None):
        raise InputError("name a project with --project NUMBER, or make one with --create TITLE")
    ours = assembly.make_ml_backend(settings, backend)
    client = assembly.make_label_studio_client(settings)
    wanted = label_config.read(f"{layout or LABEL_CONFIG_NAMES[0]}.xml") if layout or create else None
    if create is not None:
        project = connecting.create_project(client, create, wanted or "")
    assert project is not None
    table = Table("link", "outcome", title=f"project {project} at {settings.label_studio_url}")
    for step in connecting.connect_project(client, project, ours, label_config=wanted):
        table.add_row(step.what, step.outcome)
    if samples:
        outcome = add_samples(client, project, samples)
        table.add_row("sample tasks", outcome)
    console.print(table)
    where = settings.label_studio_public_url.rstrip("/") or settings.label_studio_url
    console.print(f"{where}/projects/{project}/data")


def add_samples(client: LabelStudioClient, number: int, count: int) -> str:
    """Drawn scenes with true expressions, to try everything with; none when some are there already.

    Raises:
        LabelStudioError: an upload or the import was refused.
    """
    from ris.tinyworld.samples import make_samples  # reads the sprites, which no other command needs

    there = client.call("GET", f"/api/projects/{number}/file-uploads", all="true") or ()
    if any(SAMPLE_PREFIX in str(one.get("file", "")) for one in there):
        return "there already"
    controls = read_controls(str(client.call("GET", f"/api/projects/{number}")["label_config"]))
    tasks = []
    for i, sample in enumerate(track(make_samples(count), "uploading", console=console)):
        image = client.upload(number, f"{SAMPLE_PREFIX}-{i:02d}.png", sample.png)
        tasks.append(controls.to_data(image, None if controls.expression_area else sample.expression))
    client.call("POST", f"/api/projects/{number}/import", [{"data": data} for data in tasks])
    return f"{len(tasks)} added: drawn scenes, which the embedded networks know"

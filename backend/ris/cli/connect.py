"""`ris connect`: connect a project of Label Studio to this backend."""

from difflib import unified_diff
from itertools import islice
from typing import Annotated

import typer
from rich.progress import track

from ris import assembly, label_config
from ris.cli.console import confirm_change, console, make_table
from ris.cli.options import BackendOption, DatabaseUrlOption, KeyOption, UrlOption, apply_options
from ris.cli.preset_advice import MAX_FETCHED_PICTURES, print_preset_advice
from ris.core.types import Task
from ris.errors import InputError, TaskError
from ris.labelstudio.api import connecting
from ris.labelstudio.api.client import LabelStudioClient
from ris.labelstudio.api.listing import fetch_tasks
from ris.labelstudio.api.projects import fetch_project, fetch_uploads
from ris.labelstudio.api.sync import read_project
from ris.labelstudio.api.task_import import push_tasks
from ris.labelstudio.config.control import read_controls
from ris.labelstudio.task import read_task
from ris.redaction.text import redact_text
from ris.store.session import Database

SAMPLE_PREFIX = "ris-sample"
_TOTAL_S = 900.0  # for all calls: about ten, and one per sample image, at most 200
LABEL_CONFIG_NAMES = (
    "pick_brush", "pick_brush_smart", "pick_bitmask", "pick_polygon", "pick_rectangle", "tabs_brush",
    "tabs_polygon", "type_brush",
)  # fmt: skip


def connect(
    project: Annotated[int | None, typer.Option(help="its number in Label Studio")] = None,
    create: Annotated[str | None, typer.Option(help="create a project with this title instead")] = None,
    layout: Annotated[
        str | None, typer.Option("--config", help=f"label config to set: {', '.join(LABEL_CONFIG_NAMES)}")
    ] = None,
    backend: BackendOption = None,
    url: UrlOption = None,
    key: KeyOption = None,
    rotate: Annotated[
        bool,
        typer.Option("--rotate", help="give the webhook a new token and refuse the old one"),
    ] = False,
    database_url: DatabaseUrlOption = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="replace the label config of a project without asking")
    ] = False,
    samples: Annotated[
        int, typer.Option(help="also upload this many drawn sample tasks, once", min=0, max=200)
    ] = 0,
) -> None:
    """Check or set the label config, add the ML backend, create or repair the webhook. Safe to run twice.

    With --config and --project it shows how the label config would change, and asks. If the server has a
    password, the webhook gets a token, which is kept in the server's database.

    Example: `ris connect --project 3` or `ris connect --create "My mugs" --config pick_brush`
    """
    settings = apply_options(url=url, key=key, database_url=database_url)
    if rotate and settings.login is None:
        raise InputError("there is no token to renew: RIS_BASIC_AUTH_PASSWORD is not set")
    if layout is not None and layout not in LABEL_CONFIG_NAMES:
        raise InputError(
            f"there is no label config {layout!r}; --config can be {', '.join(LABEL_CONFIG_NAMES)}"
        )
    if (project is None) == (create is None):
        raise InputError("name a project with --project NUMBER, or create one with --create TITLE")
    ml_backend = assembly.make_ml_backend(settings, backend)
    client = assembly.make_label_studio_client(settings, total_s=_TOTAL_S)
    new_config = label_config.read(f"{layout or LABEL_CONFIG_NAMES[0]}.xml") if layout or create else None
    # Opened first, because a project that is made without a token for its webhook is half a project.
    database = Database.open(settings.database_url) if settings.login else None
    try:
        tokens = assembly.make_project_tokens(settings, database) if database else None
        if create is not None:
            project = connecting.create_project(client, create, new_config or "")
        elif project is not None and new_config is not None:
            _ask_before_replacing(client, project, new_config, yes=yes)
        assert project is not None
        steps = connecting.connect_project(
            client, project, ml_backend, label_config=new_config, tokens=tokens, renews_token=rotate
        )
    finally:
        if database:
            database.close()
    table = make_table(
        "step", "outcome", name="steps",
        title=redact_text(f"project {project} at {settings.label_studio_url}"),
    )  # fmt: skip
    for step in steps:
        table.add_row(step.name, step.outcome)
    if samples:
        table.add_row("sample tasks", add_samples(client, project, samples))
    console.print(table)
    print_preset_advice(settings, _read_first_tasks(client, project), assembly.make_image_source(settings))
    where = (settings.label_studio_public_url or settings.label_studio_url).rstrip("/")
    console.print(redact_text(f"{where}/projects/{project}/data"))


def _ask_before_replacing(client: LabelStudioClient, number: int, wanted: str, *, yes: bool) -> None:
    """Show how the label config of a project would change, and ask. An equal one changes nothing.

    Raises:
        InputError: the answer is no, or nobody can be asked.
        LabelStudioError: the project cannot be read.
    """
    present = str(fetch_project(client, number).get("label_config") or "")
    if present.strip() == wanted.strip():
        return
    lines = unified_diff(
        present.strip().splitlines(), wanted.strip().splitlines(), "in Label Studio", "new", lineterm=""
    )
    console.print(redact_text("\n".join(lines)), markup=False)
    if not yes:
        confirm_change(f"Replace the label config of project {number}?")


def _read_first_tasks(client: LabelStudioClient, number: int) -> list[Task]:
    """Read the first tasks of a project that have an image and can be read."""
    project = read_project(client, number)
    controls = read_controls(str(project.body.get("label_config") or ""))
    found = []
    for entry in islice(fetch_tasks(client, number), MAX_FETCHED_PICTURES):
        try:
            found.append(read_task(entry, project.key, controls))
        except TaskError:
            continue  # `ris doctor` gives the reason
    return found


def add_samples(client: LabelStudioClient, number: int, count: int) -> str:
    """Import drawn scenes with correct expressions as tasks, unless the project has some already.

    Returns:
        What was done, for a person.

    Raises:
        LabelStudioError: Label Studio did not answer, or refused an upload or the import.
    """
    from ris.tinyworld.samples import make_samples  # reads the sprites, which no other command needs

    if any(SAMPLE_PREFIX in upload["file"] for upload in fetch_uploads(client, number)):
        return "there already"
    controls = read_controls(fetch_project(client, number).get("label_config") or "")
    tasks = []
    for i, sample in enumerate(track(make_samples(count), "uploading", console=console)):
        image = client.upload(number, f"{SAMPLE_PREFIX}-{i:02d}.png", sample.png)
        tasks.append(controls.to_data(image, None if controls.expression_area else sample.expression))
    push_tasks(client, number, [{"data": data} for data in tasks], lambda _: None)
    return f"{len(tasks)} added: drawn scenes, for which the embedded networks were trained"

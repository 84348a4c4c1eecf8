"""`ris import`: a dataset becomes tasks in Label Studio."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

import label_config
from backend import assembly, config
from backend.cli.console import console
from backend.errors import InputError
from backend.labelstudio.client import LabelStudioClient
from backend.labelstudio.connecting import new_project, set_label_config
from backend.labelstudio.control import Controls, read_controls
from backend.service.importing import found_images, push, read_dataset, tasks_of

DEFAULT = "pick_brush"


def import_dataset(
    source: Annotated[
        Path, typer.Argument(help="folder like RefCOCO's or PhraseCut's or with captions; .csv, .jsonl")
    ],
    project: Annotated[int | None, typer.Option(help="its number in Label Studio")] = None,
    create: Annotated[str | None, typer.Option(help="make a new project of this title instead")] = None,
    layout: Annotated[str, typer.Option("--config", help="label config of a new project")] = DEFAULT,
    images: Annotated[Path | None, typer.Option(help="folder of the images, to be uploaded")] = None,
    prefix: Annotated[
        str, typer.Option(help="put before each image's name instead, e.g. /data/local-files/?d=mugs/")
    ] = "",
    out: Annotated[Path | None, typer.Option(help="write the tasks into a file instead")] = None,
) -> None:
    """Make Label Studio tasks of images with expressions; known masks become ground truth.

    Example: `ris import refcoco --images train2014 --create "RefCOCO, mended"`
    """
    if [project, create, out].count(None) != 2:
        raise InputError("say one of --project NUMBER, --create TITLE and --out FILE")
    entries = read_dataset(source)
    if out is not None:
        if images is not None:
            raise InputError("--images uploads to a project; with --out say where they are with --prefix")
        controls = read_controls(label_config.read(f"{layout}.xml"))
        tasks = tasks_of(entries, controls, lambda name: prefix + name)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(tasks, ensure_ascii=False) + "\n", encoding="utf-8")
        console.print(f"{out}: {len(tasks)} tasks for the label config {layout}")
        return
    files = found_images(entries, images) if images else {}
    client = assembly.label_studio(config.from_env())
    number = project if project is not None else new_project(client, create or "")
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task("images", total=len(files))
        stored = {}
        for name, path in files.items():
            stored[name] = client.upload(number, path.name, path.read_bytes())
            progress.advance(bar)
        controls = _controls(client, number, layout if create is not None else None)
        tasks = tasks_of(entries, controls, lambda name: stored.get(name, prefix + name))
        bar = progress.add_task("tasks", total=len(tasks))
        taken = push(client, number, tasks, lambda count: progress.advance(bar, count))
    console.print(f"{taken} of {len(entries)} expressions are tasks of project {number}")


def _controls(client: LabelStudioClient, number: int, layout: str | None) -> Controls:
    """Of the project's label config; a new project gets one, after its images: before, they are refused."""
    if layout is not None:
        return set_label_config(client, number, label_config.read(f"{layout}.xml"))
    return read_controls(str(client.call("GET", f"/api/projects/{number}").get("label_config") or ""))

"""`ris import`: import a dataset as tasks of Label Studio."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from ris import assembly, config, label_config
from ris.cli.console import console
from ris.cli.defects import print_defects
from ris.cli.uploads import ImageUploads
from ris.datasets.delimited import ColumnNames
from ris.datasets.entry import LEFT_OUT
from ris.errors import InputError
from ris.labelstudio.api.client import LabelStudioClient
from ris.labelstudio.api.connecting import create_empty_project, set_label_config
from ris.labelstudio.api.listing import fetch_tasks as tasks_in
from ris.labelstudio.api.projects import fetch_project
from ris.labelstudio.api.task_import import push_tasks
from ris.labelstudio.config.control import Controls, read_controls
from ris.service.importing import (
    Dataset,
    drop_images,
    drop_invalid_masks,
    find_images,
    make_image_reference,
    make_import_plan,
    make_tasks,
    read_dataset,
)

DEFAULT_LABEL_CONFIG = "pick_brush"


def import_dataset(
    source: Annotated[
        Path,
        typer.Argument(help="folder of RefCOCO, PhraseCut or captions; or a table, JSON, JSON Lines"),
    ],
    project: Annotated[int | None, typer.Option(help="number of a project in Label Studio")] = None,
    create: Annotated[str | None, typer.Option(help="create a project with this title instead")] = None,
    layout: Annotated[
        str, typer.Option("--config", help="label config of a new project")
    ] = DEFAULT_LABEL_CONFIG,
    images: Annotated[Path | None, typer.Option(help="folder of the images to upload")] = None,
    prefix: Annotated[
        str,
        typer.Option(
            help="prefix of each image's name instead of an upload, e.g. /data/local-files/?d=mugs/"
        ),
    ] = "",
    out: Annotated[Path | None, typer.Option(help="file for the tasks, instead of a project")] = None,
    encoding: Annotated[
        str | None, typer.Option(help="encoding of a table that is not UTF-8, e.g. cp1252, cp949, gb18030")
    ] = None,
) -> None:
    """Import images and expressions as tasks.

    Known masks become ground truth. Entries that cannot be used are left out and listed. Tasks that the
    project already has are not changed.

    Example: `ris import refcoco --images train2014 --create "RefCOCO, corrected"`
    """
    if [project, create, out].count(None) != 2:
        raise InputError("give one of --project NUMBER, --create TITLE and --out FILE")
    if out is not None and images is not None:
        raise InputError(
            "--images uploads to a project; with --out give the addresses of the images with --prefix"
        )
    settings = config.read_settings()
    client = assembly.make_label_studio_client(settings)
    controls = _load_controls(client, project, layout)
    names = ColumnNames.from_preferred(controls.image_key, controls.expression_key)
    dataset = drop_invalid_masks(read_dataset(source, encoding, names), {})
    if out is not None:
        tasks = make_tasks(dataset.entries, controls, lambda name: make_image_reference(prefix, name))
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(
            json.dumps(tasks, ensure_ascii=False) + "\n", encoding="utf-8", errors="backslashreplace"
        )
        console.print(f"{out}: {len(tasks)} tasks for the label config {layout}")
        print_defects(dataset.defects)
        if not tasks:
            raise InputError(f"{source} gave no task; the reasons are above")
        return
    files: Mapping[str, Path] = {}
    if images is not None:
        files, dataset = find_images(dataset, images)
    number = project if project is not None else create_empty_project(client, create or "")
    _import_entries(
        client, number, controls, dataset, files, prefix, layout if create is not None else None, settings
    )


def _import_entries(
    client: LabelStudioClient,
    number: int,
    controls: Controls,
    dataset: Dataset,
    files: Mapping[str, Path],
    prefix: str,
    layout: str | None,
    settings: config.Settings,
) -> None:
    """Import the entries that a project lacks. After an error, uploads without a task are removed."""
    n_read = len(dataset.entries) + sum(defect.outcome == LEFT_OUT for defect in dataset.defects)
    present = make_import_plan(dataset.entries, [] if layout else tasks_in(client, number), controls)
    dataset = Dataset(present.missing, dataset.defects)
    stored = {name: reference for name, reference in present.references.items() if name in files}
    uploads, taken = ImageUploads(client, number, settings), 0
    with Progress(console=console, transient=True) as progress:
        try:
            wanted = list(dict.fromkeys(entry.image for entry in dataset.entries))
            bar = progress.add_task("images", total=len(wanted) if files else 0)
            for name in wanted if files else ():
                uploads.add(name, files[name], stored.get(name))
                progress.advance(bar)
            dataset = drop_invalid_masks(drop_images(dataset, uploads.reasons), uploads.sizes)
            stored |= uploads.stored
            if layout:
                set_label_config(client, number, label_config.read(f"{layout}.xml"))
            tasks = make_tasks(
                dataset.entries, controls, lambda name: stored.get(name) or make_image_reference(prefix, name)
            )
            bar = progress.add_task("tasks", total=len(tasks))

            def count_pushed(count: int) -> None:
                nonlocal taken
                taken += count
                progress.advance(bar, count)

            push_tasks(client, number, tasks, count_pushed)
        except BaseException:
            uploads.remove_unused({stored.get(entry.image, "") for entry in dataset.entries[:taken]})
            raise
    if present.n_present:
        console.print(
            f"{taken} of {n_read} expressions were imported into project {number}; "
            f"{present.n_present} were there already and are not changed"
        )
    else:
        console.print(
            f"imported {taken} of {n_read} expressions as tasks into project {number}; next: "
            f"`ris connect --project {number}`"
        )
    print_defects(dataset.defects)
    if not taken and not present.n_present:
        raise InputError(f"none of {n_read} expressions was imported; the reasons are above")


def _load_controls(client: LabelStudioClient, number: int | None, layout: str) -> Controls:
    """Read the label config of a project, or one of this package for a new project."""
    if number is None:
        return read_controls(label_config.read(f"{layout}.xml"))
    return read_controls(fetch_project(client, number).get("label_config") or "")

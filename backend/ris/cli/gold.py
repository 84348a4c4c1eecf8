"""`ris gold`: tasks whose right answer is known, and how people answered them."""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ris import assembly, config
from ris.cli.console import console, make_table
from ris.cli.defects import print_defects
from ris.cli.options import DatabaseUrlOption, ProjectKeyOption, resolve_project
from ris.cli.uploads import ImageUploads
from ris.datasets.delimited import ColumnNames
from ris.datasets.entry import Entry
from ris.errors import InputError
from ris.export.dataset import get_mask
from ris.labelstudio.api.client import LabelStudioClient
from ris.labelstudio.api.listing import fetch_tasks
from ris.labelstudio.api.projects import fetch_project
from ris.labelstudio.api.sync import ProjectState, read_project
from ris.labelstudio.config.control import Controls, read_controls
from ris.quality.gold import GoldReport, measure_gold
from ris.service.gold import GoldPlan, GoldService, KnownAnswer, make_gold_plan, select_known
from ris.service.importing import (
    Dataset,
    drop_images,
    drop_invalid_masks,
    find_images,
    make_image_reference,
    read_dataset,
)
from ris.store.export_pages import AnswerPages
from ris.store.gold import find_gold_tasks, find_newest_answers, read_gold_answers
from ris.store.names import find_annotator_names
from ris.store.session import Database

gold_app = typer.Typer(
    help="Mix in tasks whose right answer is known, and score people on them.", no_args_is_help=True
)

_MAX_CHOSEN = 2_000  # decisions that are held with their masks
_DECISIONS_PER_PAGE = 200
_SEQUENTIAL, _RANDOM = "Sequential sampling", "Uniform sampling"
_TOTAL_S = 3_600.0  # for all calls of Label Studio

ShareOption = Annotated[
    float, typer.Option(min=0.001, max=0.5, help="of the tasks without an answer that are to be gold")
]
NumberOption = Annotated[int, typer.Option("--project", help="number of the project to add them to")]
SeedOption = Annotated[int, typer.Option(help="of the choice of tasks")]
ShuffleOption = Annotated[
    bool, typer.Option("--shuffle", help="let Label Studio serve the tasks of the project in random order")
]


@gold_app.command()
def score(project: ProjectKeyOption = None, database_url: DatabaseUrlOption = None) -> None:
    """Print how people answered gold tasks.

    Figures have 95 % intervals over images. A sentence names everybody whose interval lies below that of all
    others together.

    Example: `ris gold score --project 3`
    """
    database = Database.open(config.read_settings(database_url=database_url).database_url)
    try:
        with database.begin() as session:
            report = measure_gold(read_gold_answers(session, project=project))
            names = find_annotator_names(session)
    finally:
        database.close()
    _print_report(report, names)


def _print_report(report: GoldReport, names: Mapping[int, str]) -> None:
    table = make_table(
        "annotator", "figure", "value", "low", "high", "count", title="answers to gold tasks", name="gold"
    )
    shown = {
        person: f"{names[person]} ({person})" if person in names else str(person) for person in report.people
    }
    for name, figures in [*((shown[one], of) for one, of in report.people.items()), ("all", report.team)]:
        for figure, share in figures.items():
            if share.count:
                low, high = (share.low, share.high) if share.has_interval else (None, None)
                ends = [None if end is None else round(end, 3) for end in (low, high)]
                table.add_row(name, figure, round(share.mean, 3), *ends, share.count)
    console.print(table)
    if not report.people:
        console.print("nobody has answered a gold task")
    for person, figure in report.find_below():
        console.print(
            f"{figure} of annotator {shown[person]} lies below that of all others together", markup=False
        )
    if report.n_unlike:
        console.print(
            f"{report.n_unlike} answers are not compared: their mask is of another size than the known one"
        )


@gold_app.command()
def add(
    source: Annotated[Path, typer.Argument(help="a dataset with masks, in any form that `ris import` reads")],
    project: NumberOption,
    share: ShareOption = 0.05,
    images: Annotated[Path | None, typer.Option(help="folder of the images to upload")] = None,
    prefix: Annotated[
        str, typer.Option(help="prefix of each image's name instead of an upload, as for `ris import`")
    ] = "",
    encoding: Annotated[str | None, typer.Option(help="encoding of a table that is not UTF-8")] = None,
    seed: SeedOption = 0,
    shuffle: ShuffleOption = False,
    database_url: DatabaseUrlOption = None,
) -> None:
    """Add gold tasks from a dataset with known masks, until they are a share of the tasks without an answer.

    What is a task of the project already becomes gold, and is not changed. Nothing in Label Studio tells gold
    tasks from others.

    Example: `ris gold add known.json --images photos --project 3 --share 0.05`
    """
    with _open_project(project, database_url) as (database, client, state, controls):
        names = ColumnNames.from_preferred(controls.image_key, controls.expression_key)
        dataset = drop_invalid_masks(read_dataset(source, encoding, names), {})
        known = select_known(dataset.entries, source.name)
        plan = _make_plan(database, client, state, controls, known, share=share, seed=seed)
        settings = config.read_settings(database_url=database_url)
        uploads = ImageUploads(client, project, settings)
        if images is not None:
            plan = _upload_images(plan, images, uploads, dataset)

        def to_reference(name: str) -> str:
            return uploads.stored.get(name) or make_image_reference(prefix, name)

        imported: set[str] = set()  # or perhaps imported: of a call that failed nobody knows
        try:
            service = GoldService(database, client, now=assembly.get_utc_now)
            n_new = service.add(
                project, state.key, plan, controls, to_reference, seed=seed, on_import=imported.add
            )
        finally:
            uploads.remove_unused(imported)
        print_defects(dataset.defects)
        _print_added(client, project, plan, n_new, len(known), is_shuffled=shuffle)


@gold_app.command()
def choose(
    project: NumberOption,
    origin: Annotated[
        str,
        typer.Option(
            "--from", callback=resolve_project, metavar="<int>", help="project whose decisions are right"
        ),
    ],
    annotator: Annotated[
        int | None, typer.Option(help="only decisions of this user id in Label Studio")
    ] = None,
    share: ShareOption = 0.05,
    seed: SeedOption = 0,
    shuffle: ShuffleOption = False,
    database_url: DatabaseUrlOption = None,
) -> None:
    """Add gold tasks from decisions that are right, such as those of an expert or of `ris adjudicate`.

    At most 2,000 decisions are chosen, at random. Whoever made a decision is not scored on it.

    Example: `ris gold choose --from 7 --project 3 --share 0.05`
    """
    with _open_project(project, database_url) as (database, client, state, controls):
        if origin == state.key and annotator is None:
            raise InputError(
                "--from and --project name one project: say whose decisions are right with --annotator"
            )
        known = list(_load_decisions(database, origin, annotator, seed))
        if not known:
            raise InputError(f"project {origin} has no decision that can be chosen")
        plan = _make_plan(database, client, state, controls, known, share=share, seed=seed)
        service = GoldService(database, client, now=assembly.get_utc_now)
        n_new = service.add(project, state.key, plan, controls, lambda name: name, seed=seed)
        _print_added(client, project, plan, n_new, len(known), is_shuffled=shuffle)


@contextmanager
def _open_project(
    number: int, database_url: str | None
) -> Iterator[tuple[Database, LabelStudioClient, ProjectState, Controls]]:
    settings = config.read_settings(database_url=database_url)
    client = assembly.make_label_studio_client(settings, total_s=_TOTAL_S)
    database = Database.open(settings.database_url)
    try:
        state = read_project(client, number)
        yield database, client, state, read_controls(str(state.body.get("label_config") or ""))
    finally:
        database.close()


def _make_plan(
    database: Database,
    client: LabelStudioClient,
    state: ProjectState,
    controls: Controls,
    known: Sequence[KnownAnswer],
    *,
    share: float,
    seed: int,
) -> GoldPlan:
    with database.begin() as session:
        gold = find_gold_tasks(session, state.key)
    with console.status("reading the tasks of the project"):
        tasks = fetch_tasks(client, int(state.body["id"]))
        return make_gold_plan(known, tasks, controls, project=state.key, gold=gold, share=share, seed=seed)


def _upload_images(plan: GoldPlan, folder: Path, uploads: ImageUploads, dataset: Dataset) -> GoldPlan:
    """Upload the images of the chosen tasks; those whose image cannot be used are left out and listed."""
    if not plan.chosen:
        return plan
    entries = tuple(one.entry for one in plan.chosen)
    files, found = find_images(Dataset(entries, ()), folder)
    for name, path in files.items():
        uploads.add(name, path, None)
    usable = drop_invalid_masks(drop_images(found, uploads.reasons), uploads.sizes)
    print_defects(usable.defects)
    kept = {id(entry) for entry in usable.entries}
    return replace(plan, chosen=tuple(one for one in plan.chosen if id(one.entry) in kept))


def _load_decisions(
    database: Database, project: str, annotator: int | None, seed: int
) -> Iterator[KnownAnswer]:
    """Yield the newest decisions about random tasks of a project, or those of one annotator."""
    with database.begin() as session:
        row_ids = find_newest_answers(session, project, annotator)
    chosen = random.Random(seed).sample(row_ids, min(len(row_ids), _MAX_CHOSEN))
    source = AnswerPages(database)
    for start in range(0, len(chosen), _DECISIONS_PER_PAGE):
        for decision in source.find_answers(chosen[start : start + _DECISIONS_PER_PAGE]):
            answer, mask = decision.correction.annotation, get_mask(decision)
            size = None if mask is None else mask.size
            entry = Entry(answer.task.expression, answer.task.image_url, size, mask, mask is not None, "")
            origin = f"annotation {answer.annotation_id} of project {project}"
            yield KnownAnswer(entry, origin, answer.annotator)


def _print_added(
    client: LabelStudioClient, number: int, plan: GoldPlan, n_new: int, n_known: int, *, is_shuffled: bool
) -> None:
    n_added = len(plan.chosen)
    table = make_table("tasks", "count", title=f"gold tasks of project {number}", name="gold")
    for name, count in (
        ("known answers", n_known),
        ("tasks of the project without an answer, before", plan.n_open),
        ("tasks that were there already", len(plan.present)),
        ("added", n_added),
        ("gold now that were not", n_new),
    ):
        table.add_row(name, count)
    console.print(table)
    if n_added < plan.n_wanted:
        console.print(f"the share needs {plan.n_wanted} new gold tasks, and there were {n_added}")
    sampling = fetch_project(client, number).get("sampling") or _SEQUENTIAL
    if is_shuffled and sampling != _RANDOM:
        client.call("PATCH", f"/api/projects/{number}", {"sampling": _RANDOM})
        console.print(f"Label Studio now serves the tasks of project {number} in random order")
    elif n_added and sampling == _SEQUENTIAL:
        console.print(
            f"Label Studio serves the tasks of project {number} in the order of their numbers, so gold tasks "
            "come last: use --shuffle, or set Settings, General, Task Sampling there"
        )

"""The main job, end to end: `run_demo` plays it through, `run_studio` stays at the predictions."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from ris import label_config
from ris.core.decision import Decision
from ris.core.types import Verdict
from ris.errors import BackendError
from ris.evaluation.drawing import Pane, draw_contact_sheet
from ris.export.jsonl import write_jsonl
from ris.labelstudio.api.client import LabelStudioClient
from ris.labelstudio.config.control import read_controls
from ris.store.history import read_decisions
from ris.store.session import Database
from ris.tinyworld.samples import DemoSample, make_samples
from tests.builders.exported import write_coco_file
from tests.live.support.annotator import Action, Annotator, find_closest_prediction
from tests.live.support.backend_server import BackendServer
from tests.live.support.project import Project
from tests.live.support.studio import (
    DEMO_PASSWORD,
    DEMO_TOKEN,
    DEMO_USER,
    LabelStudioServer,
    install_label_studio,
)

_N_TASKS = 24
_CONFIG_FILE = "tabs_brush.xml"
_ARRIVAL_TIMEOUT_S = 60

_console = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True, slots=True, eq=False)
class LoadedProject:
    """A project full of sample tasks, with a sample for each task id."""

    project: Project
    samples: dict[int, DemoSample]


def run_demo(out: Path) -> None:
    """Everything, with its results under `out`.

    Raises:
        BackendError: a step failed, or a decision on record is not what the annotator did.
    """
    started = time.monotonic()
    (out / "ris.db").unlink(missing_ok=True)
    with _show_step("installing Label Studio (once)"):
        install_label_studio()
    with _run_label_studio(out) as studio, BackendServer(out, studio.url) as server:
        loaded = _load_project(studio, server)
        with _show_step("an annotator decides"):
            acts = _simulate_annotator(loaded)
        with _show_step("the decisions arrive"):
            found = _wait_for_decisions(server.database_url, acts)
    _console.print(_make_table(loaded, acts, found))
    write_coco_file(found, out / "coco.json")
    write_jsonl(found, out / "decisions.jsonl")
    draw_contact_sheet(_make_panes(loaded, found), out / "contact_sheet.png")
    _check_decisions(acts, found)
    for name, what in (
        ("coco.json", "COCO, masks as run lengths"),
        ("decisions.jsonl", "one decision a line, with what was on the screen"),
        ("contact_sheet.png", "every task: its alternatives, and what became of them"),
        ("ris.db", "the record of decisions (SQLite)"),
    ):
        _console.print(f"  {out / name}: {what}")
    _console.print(f"{len(found)} decisions, all as made, in {time.monotonic() - started:.0f} s")


def run_studio(out: Path) -> None:
    """Label Studio with the sample tasks and their alternatives, until Ctrl-C."""
    (out / "ris.db").unlink(missing_ok=True)
    with _show_step("installing Label Studio (once)"):
        install_label_studio()
    with _run_label_studio(out) as studio, BackendServer(out, studio.url) as server:
        project = _load_project(studio, server).project.project_id
        _console.print(f"Label Studio: {studio.url}/projects/{project}/data")
        _console.print(
            f"log in as {DEMO_USER} with {DEMO_PASSWORD}; the backend is {server.url}; Ctrl-C stops both"
        )
        try:
            while True:
                time.sleep(1)
        except KeyboardInterrupt:
            _console.print("stopping")


@contextmanager
def _show_step(what: str) -> Iterator[None]:
    """A line that moves while something long goes on, and stays with its time."""
    started = time.monotonic()
    with Progress(
        SpinnerColumn(), TextColumn(what), TimeElapsedColumn(), console=_console, transient=True
    ) as bar:
        bar.add_task(what, total=None)
        yield
    _console.print(f"  {what}: {time.monotonic() - started:.1f} s")


@contextmanager
def _run_label_studio(out: Path) -> Iterator[LabelStudioServer]:
    studio = LabelStudioServer(out / "label-studio")
    with _show_step("starting Label Studio (its first start makes its tables)"):
        studio.__enter__()
    try:
        yield studio
    finally:
        studio.__exit__()


def _load_project(studio: LabelStudioServer, server: BackendServer) -> LoadedProject:
    client = LabelStudioClient(studio.url, DEMO_TOKEN, timeout_s=180)
    samples = make_samples(_N_TASKS)
    with _show_step(f"importing {_N_TASKS} tasks and connecting the backend"):
        config = label_config.read(_CONFIG_FILE)
        project, stored = Project.create(client, "Referring expressions", config, [s.png for s in samples])
        data = [{"image": ref, "expression": s.expression} for ref, s in zip(stored, samples, strict=True)]
        task_ids = project.import_tasks(data)
        project.connect(server.url)
    _run_with_bar("retrieving predictions", task_ids, 6, project.wait_for_predictions)
    return LoadedProject(project, dict(zip(task_ids, samples, strict=True)))


def _run_with_bar(what: str, ids: Sequence[int], step: int, work: Callable[[Sequence[int]], None]) -> None:
    started = time.monotonic()
    with Progress(console=_console, transient=True) as progress:
        bar = progress.add_task(what, total=len(ids))
        for i in range(0, len(ids), step):
            work(ids[i : i + step])
            progress.advance(bar, len(ids[i : i + step]))
    _console.print(f"  {what}: {time.monotonic() - started:.1f} s")


def _simulate_annotator(loaded: LoadedProject) -> list[Action]:
    """Take the alternative that is truly meant, repair every fourth, draw where there is none.

    One task is redrawn, one has no referent and one is skipped whatever was offered.
    """
    annotator = Annotator(loaded.project, read_controls(label_config.read(_CONFIG_FILE)))
    acts: list[Action] = []
    for place, (task_id, sample) in enumerate(loaded.samples.items()):
        offered = loaded.project.predictions(task_id)
        rank, iou = find_closest_prediction(offered, sample.truth)
        if place == 11:
            acts.append(annotator.mark_no_referent(task_id, offered))
        elif place == 17:
            acts.append(annotator.skip(task_id, offered))
        elif place == 5 or iou <= 0.5:
            acts.append(annotator.redraw(task_id, offered, sample.truth))
        elif place % 4 == 2:
            acts.append(annotator.fix(task_id, offered, rank))
        else:
            acts.append(annotator.accept(task_id, offered, rank))
    return acts


def _wait_for_decisions(database_url: str, acts: Sequence[Action]) -> list[Decision]:
    """The decisions on record, once there are as many as were made.

    Raises:
        BackendError: some have not arrived.
    """
    deadline = time.monotonic() + _ARRIVAL_TIMEOUT_S
    database = Database.open(database_url)
    try:
        while True:
            with database.begin() as session:
                found = list(read_decisions(session))
            if len(found) >= len(acts):
                return found
            if time.monotonic() > deadline:
                raise BackendError(
                    f"{len(found)} of {len(acts)} decisions arrived within {_ARRIVAL_TIMEOUT_S} s; see "
                    f"backend.log"
                )
            time.sleep(0.3)
    finally:
        database.close()


def _check_decisions(acts: Sequence[Action], found: Sequence[Decision]) -> None:
    """Raise when the record is not what was done."""
    recorded = {d.correction.annotation.annotation_id: d.correction for d in found}
    for act in acts:
        correction = recorded.get(act.annotation_id)
        if correction is None or (correction.verdict, correction.rank) != (act.verdict, act.rank):
            raise BackendError(
                f"task {act.task_id}: the annotator's act was {act}, on record is {correction}"
            )


def _make_table(loaded: LoadedProject, acts: Sequence[Action], found: Sequence[Decision]) -> Table:
    recorded = {d.correction.annotation.annotation_id: d.correction for d in found}
    table = Table("task", "expression", title="What the annotator did, as it is on record")
    for heading in ("rank taken", "verdict", "IoU"):
        table.add_column(heading, justify="right")
    for act in acts:
        correction = recorded[act.annotation_id]
        rank = "-" if correction.rank is None else str(correction.rank + 1)
        iou = "-" if correction.iou is None else f"{correction.iou:.3f}"
        expression = loaded.samples[act.task_id].expression
        table.add_row(str(act.task_id), expression, rank, correction.verdict.value, iou)
    return table


def _make_panes(loaded: LoadedProject, found: Sequence[Decision]) -> list[Pane]:
    return [_make_pane(loaded.samples[d.correction.annotation.task.task_id], d) for d in found]


def _make_pane(sample: DemoSample, decision: Decision) -> Pane:
    correction = decision.correction
    rank = "" if correction.rank is None else f" {correction.rank + 1}"
    iou = (
        ""
        if correction.iou is None or correction.verdict is Verdict.ACCEPTED
        else f", IoU {correction.iou:.2f}"
    )
    return Pane(
        pixels=sample.pixels,
        alternatives=[offer.suggestion.mask for offer in decision.alternatives],
        final=correction.annotation.mask if correction.verdict.has_mask else None,
        lines=[f'"{sample.expression}"', f"{correction.verdict.value}{rank}{iou}"],
    )

"""Fill a Label Studio project with the tasks on which people disagree, their answers as alternatives.

Nothing in the project tells who gave which answer: equal masks are one alternative, and their order is
random. A task is recognised by a mark in its `meta`, so that it is made once, also after a run was cut off.
"""

import hashlib
import json
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ris.core.types import Task
from ris.errors import InputError
from ris.labelstudio.api.answers import ListedTaskAnswer, check_answer
from ris.labelstudio.api.connecting import create_project
from ris.labelstudio.api.listing import fetch_tasks
from ris.labelstudio.api.projects import fetch_ml_backends, find_projects_by_title
from ris.labelstudio.api.protocol import LabelStudioApi
from ris.labelstudio.api.pushing import Parcel, PredictionWriter
from ris.labelstudio.api.sync import ProjectState
from ris.labelstudio.api.task_import import create_tasks
from ris.labelstudio.config.control import Controls, read_controls
from ris.labelstudio.region import make_region_id
from ris.service.disagreements import Disagreement, find_disagreements, select_worst
from ris.store.adjudications import (
    Adjudication,
    OfferedMask,
    add_adjudications,
    find_adjudications,
    find_offered_alternatives,
    find_settled_tasks,
    is_adjudication_project,
)
from ris.store.answer_groups import read_answer_groups
from ris.store.records import save_project
from ris.store.session import Database

ANSWERS_VERSION = "answers"  # of all predictions of such a project, which Label Studio shows
_MARK_KEY = "ris_settles"  # in a task's meta
_TASKS_PER_CALL = 50
_LOWEST_SCORE_FIRST = "Uncertainty sampling"


@dataclass(frozen=True, slots=True)
class FillResult:
    """What was found and done.

    Attributes:
        n_disputed: tasks on which people disagree.
        n_added: of these, the ones that are new in the project.
        n_changed: of these, the ones whose alternatives were written again: somebody changed an answer.
        n_waiting: of these, the ones that were there already and wait for an answer.
        n_settled: of these, the ones that are settled.
        n_left: of these, the ones that were not added, because only so many were wanted.
        n_agreed: tasks of the project without an answer on which people agree by now.
        n_cut: new and changed tasks with more different masks than the label config has labels.
    """

    n_disputed: int = 0
    n_added: int = 0
    n_changed: int = 0
    n_waiting: int = 0
    n_settled: int = 0
    n_left: int = 0
    n_agreed: int = 0
    n_cut: int = 0


def open_adjudication_project(api: LabelStudioApi, into: str, label_config: str) -> int:
    """Find the project to fill, or create it; return its number.

    A project that is created shows the task first on which people disagree most.

    Args:
        api: Label Studio.
        into: number of a project, or a title.
        label_config: of a new project.

    Raises:
        InputError: several projects have this title.
        LabelStudioError: Label Studio did not answer, or refused.
    """
    if into.isascii() and into.isdigit():
        return int(into)
    found = find_projects_by_title(api, into)
    if len(found) > 1:
        numbers = ", ".join(map(str, found))
        raise InputError(f"several projects have the title {into!r:.60}: name one by its number ({numbers})")
    if found:
        return found[0]
    number = create_project(api, into, label_config)
    api.call("PATCH", f"/api/projects/{number}", {"sampling": _LOWEST_SCORE_FIRST})
    return number


@dataclass(frozen=True, slots=True)
class _Listed:
    """A task of the project: its number, and how many predictions it has."""

    task_id: int
    n_predictions: int


@dataclass
class _Sorting:
    """Sorts the tasks on which people disagree by what is to be done."""

    listed: dict[str, _Listed]
    versions: dict[int, str]
    settled: set[int]
    changed: list[tuple[_Listed, Disagreement]] = field(default_factory=list)
    marks: set[str] = field(default_factory=set)
    n_waiting: int = 0
    n_settled: int = 0

    def select_missing(self, disagreements: Iterable[Disagreement]) -> Iterator[Disagreement]:
        """Yield those without a task in the project, and note the others."""
        for one in disagreements:
            mark = _make_mark(one.task)
            self.marks.add(mark)
            task = self.listed.get(mark)
            if task is None:
                yield one
            elif task.task_id in self.settled:
                self.n_settled += 1
            elif task.n_predictions and self.versions.get(task.task_id) == _make_version(one):
                self.n_waiting += 1
            else:
                self.changed.append((task, one))

    def count_agreed(self) -> int:
        """Count the tasks that wait for an answer and on which people agree by now."""
        return sum(
            mark not in self.marks and task.task_id not in self.settled for mark, task in self.listed.items()
        )


class AdjudicationService:
    """Fills projects with what is to be settled.

    Args:
        database: has the answers, and takes what was offered.
        api: Label Studio.
        now: the clock, in UTC.
    """

    def __init__(self, database: Database, api: LabelStudioApi, *, now: Callable[[], datetime]) -> None:
        self.database, self.api, self.now = database, api, now
        self._writer = PredictionWriter(api)

    def fill(self, source: str, project: ProjectState, *, most: int) -> FillResult:
        """Add the tasks of a project on which people disagree to another one, the worst first.

        It can be run again: tasks that are there are not added again, and those that are settled stay as they
        are. The alternatives of the others are written again if somebody changed an answer.

        Args:
            source: key of the project whose answers are compared.
            project: to fill.
            most: the most tasks to add.

        Raises:
            InputError: the projects are one, the first settles another one, or the label config of the
                second does not show several masks with a choice.
            LabelStudioError: Label Studio did not answer, or refused; what was done stays.
        """
        number, controls = int(project.body["id"]), self._check(source, project)
        sorting = self._sort(number, project)
        with self.database.begin() as session:
            config = str(project.body.get("label_config") or "")
            save_project(session, project.key, label_config=config, extra_params={}, now=self.now())
            groups = read_answer_groups(session, project=source)
            new = select_worst(sorting.select_missing(find_disagreements(groups)), most)
        n_masks = len(controls.pick.rank_labels) if controls.pick else 0
        for start in range(0, len(new), _TASKS_PER_CALL):
            part = new[start : start + _TASKS_PER_CALL]
            ids = _import_disputed(self.api, number, part, controls)
            self._offer(number, project.key, list(zip(ids, part, strict=True)), controls, n_masks)
        for start in range(0, len(sorting.changed), _TASKS_PER_CALL):
            changed = sorting.changed[start : start + _TASKS_PER_CALL]
            for task, _ in changed:
                if task.n_predictions:
                    self._writer.remove_all(task.task_id)
            pairs = [(task.task_id, one) for task, one in changed]
            self._offer(number, project.key, pairs, controls, n_masks)
        written = [*new, *(one for _, one in sorting.changed)]
        if written:
            self._writer.show_version(number, ANSWERS_VERSION)
        return FillResult(
            n_disputed=len(sorting.marks), n_added=len(new), n_changed=len(sorting.changed),
            n_waiting=sorting.n_waiting, n_settled=sorting.n_settled,
            n_left=len(sorting.marks - sorting.listed.keys()) - len(new), n_agreed=sorting.count_agreed(),
            n_cut=sum(len(one.answers) > n_masks for one in written),
        )  # fmt: skip

    def _check(self, source: str, project: ProjectState) -> Controls:
        if source == project.key:
            raise InputError(
                "--project and --into name one project: name another one to fill, or a new title"
            )
        with self.database.begin() as session:
            if is_adjudication_project(session, source):
                raise InputError(
                    f"project {source} settles what people disagree on in another one: name that one with "
                    "--project. Of several answers that settle a task the newest counts"
                )
        controls = read_controls(str(project.body.get("label_config") or ""))
        if controls.pick is None:
            raise InputError(
                f"project {project.body['id']} shows one mask at a time: give it a label config with labels "
                "and choices of the same names, such as adjudicate_brush.xml, or name a new title with --into"
            )
        if fetch_ml_backends(self.api, int(project.body["id"])):
            raise InputError(
                f"project {project.body['id']} has an ML backend, and Label Studio shows its predictions in "
                "place of the answers: disconnect it in Settings, Model, or name a new title with --into"
            )
        return controls

    def _sort(self, number: int, project: ProjectState) -> _Sorting:
        listed: dict[str, _Listed] = {}
        for task in fetch_tasks(self.api, number):
            meta = task.get("meta")
            mark = meta.get(_MARK_KEY) if isinstance(meta, dict) else None
            if isinstance(mark, str):
                one = check_answer(task, ListedTaskAnswer, f"a task of project {number}")
                listed[mark] = _Listed(one["id"], one.get("total_predictions") or 0)
        with self.database.begin() as session:
            versions = {one.task_id: one.version for one in find_adjudications(session, project.key)}
            return _Sorting(listed, versions, find_settled_tasks(session, project.key))

    def _offer(
        self,
        number: int,
        key: str,
        pairs: Sequence[tuple[int, Disagreement]],
        controls: Controls,
        n_masks: int,
    ) -> None:
        """Note what is offered, then write it into Label Studio: an answer that comes at once finds it."""
        made = [_make_adjudication(key, task_id, one, n_masks) for task_id, one in pairs]
        with self.database.begin() as session:
            add_adjudications(session, made, now=self.now())
            found = find_offered_alternatives(session, [one.task for one in made])
        parcels = [Parcel(one.task, found[one.task]) for one in made]
        self._writer.push_all(number, parcels, controls, ANSWERS_VERSION)


def _import_disputed(
    api: LabelStudioApi, number: int, part: Sequence[Disagreement], controls: Controls
) -> list[int]:
    """Import the tasks of one call, with their marks; return their numbers, in order."""
    tasks: list[dict[str, Any]] = [
        {
            "data": controls.to_data(one.task.image_url, one.task.expression),
            "meta": {_MARK_KEY: _make_mark(one.task)},
        }
        for one in part
    ]
    return create_tasks(api, number, tasks)


def _make_mark(task: Task) -> str:
    text = json.dumps([task.project, task.task_id, task.image_url, task.expression])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _make_version(one: Disagreement) -> str:
    return f"{ANSWERS_VERSION}-{one.digest[:12]}"


def _make_adjudication(key: str, task_id: int, one: Disagreement, n_masks: int) -> Adjudication:
    """Make an adjudication of the most frequent masks, in random order; the same for the same masks."""
    shown = list(one.answers[:n_masks])
    random.Random(f"{_make_mark(one.task)} {one.digest}").shuffle(shown)  # an order, not a secret
    version, score = _make_version(one), round(1 - one.distance, 4)
    offered = tuple(
        OfferedMask(make_region_id(key, task_id, one.task.expression, version, rank), rank, score, answers)
        for rank, answers in enumerate(shown)
    )
    return Adjudication(key, task_id, one.task, version, offered)

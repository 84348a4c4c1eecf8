"""Mix gold tasks, whose right answer is known, into a project of Label Studio.

A gold task looks like every other task: no mark in Label Studio, no annotation, the same keys in its data.
Which tasks are gold is in the database alone.
"""

import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from ris.core.rle import RLE
from ris.core.types import Task
from ris.datasets.entry import Entry
from ris.errors import InputError, TaskError
from ris.labelstudio.api.protocol import LabelStudioApi
from ris.labelstudio.api.task_import import create_tasks
from ris.labelstudio.config.control import Controls
from ris.labelstudio.task import read_task
from ris.service.importing import make_import_plan
from ris.store.gold import GoldTask, add_gold_tasks
from ris.store.session import Database

_MAX_EXAMPLES = 200  # tasks whose further keys gold tasks can have
_TASKS_PER_CALL = 100
_FINEST_SHARE = 1_000_000


@dataclass(frozen=True, slots=True)
class KnownAnswer:
    """An expression of an image whose right answer is known.

    Attributes:
        entry: with its mask, or without a referent.
        origin: where it comes from, for people.
        author: who made its mask: Label Studio's user id; None when unknown.
    """

    entry: Entry
    origin: str
    author: int | None = None


@dataclass(frozen=True, slots=True)
class GoldPlan:
    """Which known answers become gold tasks of a project.

    Attributes:
        present: those that are tasks of the project already, with their tasks.
        chosen: those to add as new tasks, in random order.
        n_open: tasks of the project without an answer.
        n_wanted: how many new gold tasks the share needs.
        examples: data of random tasks of the project.
    """

    present: tuple[tuple[KnownAnswer, Task], ...]
    chosen: tuple[KnownAnswer, ...]
    n_open: int
    n_wanted: int
    examples: tuple[Mapping[str, Any], ...]


def select_known(entries: Iterable[Entry], origin: str) -> list[KnownAnswer]:
    """Return the entries of a dataset whose right answer is known.

    Raises:
        InputError: there is none.
    """
    known = [KnownAnswer(one, origin) for one in entries if one.mask is not None or not one.has_referent]
    if not known:
        raise InputError(f"no expression of {origin} has a mask or says that there is no referent")
    return known


def make_gold_plan(
    known: Sequence[KnownAnswer],
    tasks: Iterable[Mapping[str, Any]],
    controls: Controls,
    *,
    project: str,
    gold: set[int],
    share: float,
    seed: int,
) -> GoldPlan:
    """Choose gold tasks, so that they are a share of the tasks of a project without an answer.

    A known answer whose image and expression are a task already makes that task gold. Others are chosen at
    random until the share is reached.

    Args:
        known: the known answers.
        tasks: of the project, as the API lists them.
        controls: of the project's label config.
        project: its key.
        gold: the numbers of its gold tasks.
        share: above 0 and below 1.
        seed: of the choice.
    """
    rng = random.Random(seed)
    listing = _Listing(controls, project, rng)
    plan = make_import_plan([one.entry for one in known], listing.watch(tasks), controls)
    by_entry = {id(one.entry): one for one in known}
    present = []
    for entry, position in plan.present:
        if (task := listing.tasks[position]) is not None:
            present.append((by_entry[id(entry)], task))
    n_gold = len(listing.open & (gold | {task.task_id for _, task in present}))
    n_open = len(listing.open)
    part = Fraction(share).limit_denominator(_FINEST_SHARE)  # exact: 0.1 of 90 is 9 and no more
    n_wanted = max(math.ceil((part * n_open - n_gold) / (1 - part)), 0)
    missing = [by_entry[id(entry)] for entry in plan.missing]
    chosen = rng.sample(missing, min(n_wanted, len(missing)))
    return GoldPlan(tuple(present), tuple(chosen), n_open, n_wanted, tuple(listing.examples))


class _Listing:
    """What is kept of the tasks of a project."""

    def __init__(self, controls: Controls, project: str, rng: random.Random) -> None:
        self._controls, self._project, self._rng = controls, project, rng
        self.tasks: list[Task | None] = []
        self.open: set[int] = set()
        self.examples: list[Mapping[str, Any]] = []

    def watch(self, tasks: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        for task in tasks:
            try:
                self.tasks.append(read_task(task, self._project, self._controls))
            except TaskError:
                self.tasks.append(None)  # `ris doctor` gives the reason
            else:
                if not task.get("is_labeled"):
                    self.open.add(int(task["id"]))
                self._keep_example(task["data"])
            yield task

    def _keep_example(self, data: Mapping[str, Any]) -> None:
        """Keep a random sample of the tasks, every one with the same chance."""
        place = self._rng.randrange(len(self.tasks))
        if len(self.examples) < _MAX_EXAMPLES:
            self.examples.append(data)
        elif place < _MAX_EXAMPLES:
            self.examples[place] = data


class GoldService:
    """Adds gold tasks.

    Args:
        database: takes which tasks are gold.
        api: Label Studio.
        now: the clock, in UTC.
    """

    def __init__(self, database: Database, api: LabelStudioApi, *, now: Callable[[], datetime]) -> None:
        self.database, self.api, self.now = database, api, now

    def add(
        self,
        number: int,
        project: str,
        plan: GoldPlan,
        controls: Controls,
        to_reference: Callable[[str], str],
        *,
        seed: int,
        on_import: Callable[[str], None] = lambda reference: None,
    ) -> int:
        """Note the tasks that are there, and add the chosen ones; return how many tasks are newly gold.

        Args:
            number: of the project in Label Studio.
            project: its key.
            plan: what to add.
            controls: of its label config.
            to_reference: maps an image's name to the reference that Label Studio shows.
            seed: of the choice of examples.
            on_import: is called with the reference of each image before its task is imported.

        Raises:
            LabelStudioError: Label Studio did not answer, or refused; what was done stays.
            LabelConfigError: the label config's image tag cannot show a reference.
        """
        n_new = self._save((one, task) for one, task in plan.present)
        rng = random.Random(seed)
        for start in range(0, len(plan.chosen), _TASKS_PER_CALL):
            part = plan.chosen[start : start + _TASKS_PER_CALL]
            bodies = []
            for one in part:
                more = deepcopy(dict(rng.choice(plan.examples))) if plan.examples else {}
                reference = to_reference(one.entry.image)
                bodies.append({"data": controls.to_data(reference, one.entry.expression, more)})
                on_import(reference)
            ids = create_tasks(self.api, number, bodies)
            made = [
                read_task({"id": i, **body}, project, controls) for i, body in zip(ids, bodies, strict=True)
            ]
            n_new += self._save(zip(part, made, strict=True))
        return n_new

    def _save(self, pairs: Iterable[tuple[KnownAnswer, Task]]) -> int:
        gold = [GoldTask(task, _get_known_mask(one), one.origin, one.author) for one, task in pairs]
        with self.database.begin() as session:
            return add_gold_tasks(session, gold, now=self.now())


def _get_known_mask(one: KnownAnswer) -> RLE | None:
    return one.entry.mask if one.entry.has_referent else None

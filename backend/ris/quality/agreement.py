"""How far people agree: of all tasks with several answers, of each person, and by kind of expression."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ris.core.shares import Share, estimate_share
from ris.core.types import Task
from ris.quality.alpha import (
    GridMask,
    compute_chance,
    compute_disagreements,
    compute_grid_distances,
    compute_nominal_chance,
    to_alpha,
    to_grid,
)
from ris.quality.comparing import ComparedAnswers, Consensus, compare_answers, find_consensus
from ris.quality.skills import Partition, estimate_skills
from ris.referring.kinds import find_kind
from ris.store.answer_groups import AnswerGroup

_MAX_SAMPLE = 2_000  # answers of a kind from which the disagreement by chance is computed
_ALL_KINDS = 1_000_000  # in place of the number of a kind
_NO_SHARE = Share(float("nan"), float("nan"), float("nan"), 0)


@dataclass(frozen=True, slots=True)
class TaskAgreement:
    """How far people agree on one task.

    Attributes:
        task: the task.
        n_people: who answered.
        disagreement: mean distance of two answers, in [0, 1]; 1 - IoU of two masks. NaN if fewer than two
            people did not skip.
        has_consensus: whether more than half of them mean the same.
    """

    task: Task
    n_people: int
    disagreement: float
    has_consensus: bool


@dataclass(frozen=True, slots=True)
class AgreementReport:
    """How far people agree. A figure without a value has the count 0.

    Attributes:
        n_tasks: tasks with answers of several people.
        n_without_consensus: those on which no more than half of the people mean the same.
        overall: figures over all tasks, by name.
        people: by person, figures of their answers.
        kinds: by kind of expression, the figures of `overall`.
        people_by_kind: by person and kind, figures of their answers.
        worst: the tasks on which people differ most, the worst first.
    """

    n_tasks: int
    n_without_consensus: int
    overall: Mapping[str, Share]
    people: Mapping[int, Mapping[str, Share]]
    kinds: Mapping[str, Mapping[str, Share]]
    people_by_kind: Mapping[tuple[int, str], Mapping[str, Share]]
    worst: tuple[TaskAgreement, ...]

    def find_below(self) -> list[int]:
        """Return the people whose skill lies below that of the median person, by their intervals."""
        skills = {person: of["skill"] for person, of in self.people.items() if of["skill"].count}
        if not skills:
            return []
        team = float(np.median([skill.mean for skill in skills.values()]))
        return [person for person, skill in skills.items() if skill.high < team]


def measure_team_agreement(
    groups: Iterable[AnswerGroup],
    *,
    n_worst: int = 20,
    keep_consensus: Callable[[ComparedAnswers, Consensus | None], None] | None = None,
) -> AgreementReport:
    """Measure how far people agree; groups are read once and not kept.

    Memory grows by some numbers for each pair of answers. Intervals are over images.

    Args:
        groups: the tasks with answers of several people.
        n_worst: the most tasks in `AgreementReport.worst`.
        keep_consensus: gets every task with its consensus, e.g. to write it down.
    """
    tally = _Tally(n_worst)
    for group in groups:
        compared = compare_answers(group)
        consensus = find_consensus(compared)
        tally.add(compared, consensus)
        if keep_consensus is not None:
            keep_consensus(compared, consensus)
    return tally.make_report()


_Columns = Mapping[str, NDArray[np.float64]]
_PAIR_FIGURES = {
    "same referent": "referent",
    "same verdict": "stance",
    "IoU": "iou",
    "boundary IoU": "boundary",
}
_PAIR = ("image", "kind", "one", "two", "iou", "boundary", "referent", "stance")
_ANSWER = ("image", "kind", "person", "disagreement", "stance", "sensitivity", "specificity")


@dataclass
class _Tally:
    n_worst: int
    images: dict[tuple[str, str], int] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    people: dict[int, int] = field(default_factory=dict)
    pairs: list[NDArray[np.float64]] = field(default_factory=list)
    answers: list[NDArray[np.float64]] = field(default_factory=list)
    partitions: list[Partition] = field(default_factory=list)
    partition_images: list[int] = field(default_factory=list)
    samples: dict[int, "_Sample"] = field(default_factory=dict)
    stances: dict[int, Counter[Hashable]] = field(default_factory=dict)
    worst: list[TaskAgreement] = field(default_factory=list)
    n_tasks: int = 0
    n_without_consensus: int = 0

    def add(self, compared: ComparedAnswers, consensus: Consensus | None) -> None:
        """Add a task."""
        group = compared.group
        image = self.images.setdefault(group.image, len(self.images))
        kind = self.kinds.setdefault(find_kind(group.task.expression), len(self.kinds))
        people = [self.people.setdefault(one.annotator, len(self.people)) for one in group.answers]
        self._add_pairs(compared, image, kind, people)
        self._add_answers(compared, consensus, image, kind, people)
        spoken = [i for i, referent in enumerate(compared.referents) if referent >= 0]
        self.partitions.append(tuple((people[i], compared.referents[i]) for i in spoken))
        self.partition_images.append(image)
        distances = compared.distances[np.ix_(spoken, spoken)]
        task = TaskAgreement(group.task, len(people), compute_chance(distances), consensus is not None)
        self.n_tasks += 1
        self.n_without_consensus += consensus is None
        if task.disagreement > 0:
            self.worst = sorted([*self.worst, task], key=lambda one: -one.disagreement)[: self.n_worst]

    def _add_pairs(self, compared: ComparedAnswers, image: int, kind: int, people: list[int]) -> None:
        stances, referents = compared.stances, compared.referents
        rows = [
            (
                image, kind, people[i], people[j], compared.ious[i, j], compared.boundary_ious[i, j],
                np.nan if min(referents[i], referents[j]) < 0 else referents[i] == referents[j],
                stances[i] == stances[j],
            )
            for i, j in combinations(range(len(people)), 2)
        ]  # fmt: skip
        self.pairs.append(np.array(rows, np.float64))

    def _add_answers(
        self, compared: ComparedAnswers, consensus: Consensus | None, image: int, kind: int, people: list[int]
    ) -> None:
        rows = np.full((len(people), len(_ANSWER)), np.nan, np.float64)
        rows[:, 0], rows[:, 1], rows[:, 2] = image, kind, people
        stances = np.array(compared.stances)
        spoken = np.flatnonzero(stances != 2)
        if len(spoken) > 1:
            rows[spoken, 3] = compute_disagreements(compared.distances[np.ix_(spoken, spoken)])
        rows[:, 4] = compute_disagreements((stances[:, None] != stances[None, :]).astype(np.float64))
        if consensus is not None and consensus.staple is not None:
            rows[list(consensus.members), 5] = consensus.staple.sensitivity
            rows[list(consensus.members), 6] = consensus.staple.specificity
        self.answers.append(rows)
        for code in (kind, _ALL_KINDS):
            self.stances.setdefault(code, Counter()).update(compared.stances)
            sample = self.samples.setdefault(code, _Sample(code))
            for i in spoken if len(spoken) > 1 else ():
                sample.add(to_grid(compared.masks[i]))

    def make_report(self) -> AgreementReport:
        """Compute the figures."""
        pairs = dict(zip(_PAIR, _join(self.pairs, len(_PAIR)).T, strict=True))
        answers = dict(zip(_ANSWER, _join(self.answers, len(_ANSWER)).T, strict=True))
        skills = estimate_skills(self.partitions, self.partition_images, n_people=len(self.people))
        people, by_kind = {}, {}
        for person, number in sorted(self.people.items()):
            own = (pairs["one"] == number) | (pairs["two"] == number)
            described = _describe_pairs(pairs, own)
            qualities = {
                name: _estimate(answers, name, answers["person"] == number)
                for name in ("sensitivity", "specificity")
            }
            people[person] = {"skill": skills.get(number, _NO_SHARE), **described, **qualities}
            for kind, code in sorted(self.kinds.items()):
                if (chosen := own & (pairs["kind"] == code)).any():
                    by_kind[person, kind] = _describe_pairs(pairs, chosen, ("same referent", "IoU"))
        return AgreementReport(
            self.n_tasks,
            self.n_without_consensus,
            self._describe(pairs, answers, _ALL_KINDS) if self.n_tasks else {},
            people,
            {kind: self._describe(pairs, answers, code) for kind, code in sorted(self.kinds.items())},
            by_kind,
            tuple(self.worst),
        )

    def _describe(self, pairs: _Columns, answers: _Columns, kind: int) -> dict[str, Share]:
        of_pairs, of_answers = (
            np.full(len(rows["kind"]), True) if kind == _ALL_KINDS else rows["kind"] == kind
            for rows in (pairs, answers)
        )
        chance = compute_chance(compute_grid_distances(self.samples[kind].kept))
        of_stances = compute_nominal_chance(self.stances[kind])
        return {
            **_describe_pairs(pairs, of_pairs),
            "alpha": to_alpha(_estimate(answers, "disagreement", of_answers), chance),
            "alpha of the verdicts": to_alpha(_estimate(answers, "stance", of_answers), of_stances),
        }


@dataclass
class _Sample:
    """A random sample of the answers that were added, every one with the same chance."""

    seed: int
    kept: list[GridMask] = field(default_factory=list)
    n_added: int = 0

    def __post_init__(self) -> None:
        self._random = np.random.default_rng(self.seed)

    def add(self, mask: GridMask) -> None:
        """Add an answer; it takes the place of another one once the sample is full."""
        self.n_added += 1
        place = int(self._random.integers(self.n_added))
        if len(self.kept) < _MAX_SAMPLE:
            self.kept.append(mask)
        elif place < _MAX_SAMPLE:
            self.kept[place] = mask


def _join(blocks: list[NDArray[np.float64]], n_columns: int) -> NDArray[np.float64]:
    return np.concatenate([np.zeros((0, n_columns), np.float64), *blocks])


def _describe_pairs(
    pairs: _Columns, chosen: NDArray[np.bool_], names: Iterable[str] = tuple(_PAIR_FIGURES)
) -> dict[str, Share]:
    return {name: _estimate(pairs, _PAIR_FIGURES[name], chosen) for name in names}


def _estimate(columns: _Columns, name: str, chosen: NDArray[np.bool_]) -> Share:
    """Estimate the mean of a column over the chosen rows that have a value, with an interval over images."""
    known = chosen & ~np.isnan(columns[name])
    return estimate_share(columns[name][known], columns["image"][known])

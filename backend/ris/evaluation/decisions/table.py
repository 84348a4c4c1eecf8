"""Answers as columns: about 100 bytes an answer and a key for each image, however many runs masks have."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ris.core.decision import JudgedAnswer
from ris.core.shares import Share, estimate_share
from ris.core.types import MAX_LEAD_TIME_S, Verdict
from ris.core.versions import describe_version
from ris.referring.kinds import find_kind

_ANSWERS_PER_BLOCK = 500  # that are held as Python objects; more slow down the garbage collector
_VERDICTS = tuple(Verdict)
_VERDICT_CODES = {verdict: code for code, verdict in enumerate(_VERDICTS)}
_MAX_RANK, _MAX_PX = 2**15 - 1, 2**31 - 1  # that the columns hold
_NONE = -1  # in integer columns; NaN in the others

_ROW = np.dtype(
    [
        ("row_id", np.int64),
        ("image", np.int32),
        ("verdict", np.int8),
        ("has_mask", np.bool_),
        ("rank", np.int16),
        ("accepted_place", np.int16),
        ("n_shown", np.int16),
        ("is_shuffled", np.bool_),
        ("first", np.int32, (2,)),
        ("best", np.int32, (2,)),
        ("score", np.float32),
        ("lead_time_s", np.float32),
        ("edit_px", np.int32),
        ("edit_iou", np.float32),
        ("edit_boundary_iou", np.float32),
    ]
)


@lru_cache(maxsize=4096)
def _name_week(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


@lru_cache(maxsize=4096)  # many answers are about the same words
def _find_kind(expression: str) -> str:
    return find_kind(expression)


GROUP_KEYS: Mapping[str, Callable[[JudgedAnswer], str]] = {
    "project": lambda answer: answer.task.project,
    "annotator": lambda answer: str(answer.annotator or "unknown"),
    "version": lambda answer: describe_version(answer.version or "") or "nothing offered",
    "kind": lambda answer: _find_kind(answer.task.expression),
    "week": lambda answer: _name_week(answer.updated_at.date()),
}


@dataclass(frozen=True, slots=True, eq=False)
class DecisionTable:
    """The answers of N annotations.

    Attributes:
        rows: structured [N]; the columns are those of `JudgedAnswer` and `Comparison`. `first` and `best` are
            (intersection, union) in pixels of the first alternative and of the one with the highest IoU;
            (0, area of the mask) without alternatives, (0, 0) without a mask. `image` is a code.
        favourite_ious: for each method float32 [N], IoU of the alternative that it ranked best; NaN where the
            method ranked none.
        codes: for each key of `GROUP_KEYS` int32 [N], positions in `names`.
        names: for each key of `GROUP_KEYS` its values.
    """

    rows: NDArray[Any]
    favourite_ious: Mapping[str, NDArray[np.float32]]
    codes: Mapping[str, NDArray[np.int32]]
    names: Mapping[str, Sequence[str]]

    def __len__(self) -> int:
        return len(self.rows)

    def select(self, chosen: NDArray[np.bool_]) -> "DecisionTable":
        """Return the chosen answers, bool [N]; the codes stay the same."""
        return DecisionTable(
            self.rows[chosen],
            {method: ious[chosen] for method, ious in self.favourite_ious.items()},
            {key: codes[chosen] for key, codes in self.codes.items()},
            self.names,
        )

    def select_with_mask(self) -> "DecisionTable":
        """Return the answers that have a final mask."""
        return self.select(self.rows["has_mask"])

    def is_verdict(self, verdict: Verdict) -> NDArray[np.bool_]:
        """Return which answers have a verdict, bool [N]."""
        equal: NDArray[np.bool_] = self.rows["verdict"] == _VERDICT_CODES[verdict]
        return equal

    def count_verdicts(self) -> dict[str, int]:
        """Return the number of answers by verdict."""
        counts = np.bincount(self.rows["verdict"], minlength=len(_VERDICTS))
        return {verdict.value: int(n) for verdict, n in zip(_VERDICTS, counts, strict=True)}

    def compute_ious(self, which: str) -> NDArray[np.float64]:
        """Compute the IoU, float64 [N], of the final mask with the "first" or the "best" alternative."""
        inside, union = self.rows[which][:, 0], self.rows[which][:, 1]
        ious: NDArray[np.float64] = inside / np.maximum(union, 1)
        return ious

    def get_accepted_ranks(self) -> NDArray[np.int16]:
        """Return the rank of the accepted alternative, int16 [N]; -1 for every other verdict."""
        return np.where(self.is_verdict(Verdict.ACCEPTED), self.rows["rank"], np.int16(_NONE))

    def estimate_mean(self, values: NDArray[Any]) -> Share:
        """Estimate the mean of one value for each answer, with an interval over images."""
        return estimate_share(values, self.rows["image"])

    def split(self, key: str) -> Iterator[tuple[str, "DecisionTable"]]:
        """Yield the answers by a key of `GROUP_KEYS`, in the order of its values."""
        codes = self.codes[key]
        for name, code in sorted((self.names[key][code], code) for code in np.unique(codes).tolist()):
            yield name, self.select(codes == code)


def make_decision_table(answers: Iterable[JudgedAnswer]) -> DecisionTable:
    """Make the table of answers, which are read once and not kept."""
    builder, block = _Builder(), []
    for answer in answers:
        block.append(answer)
        if len(block) == _ANSWERS_PER_BLOCK:
            builder.add(block)
            block = []
    builder.add(block)
    return builder.finish()


@dataclass
class _Builder:
    images: dict[tuple[str, str], int] = field(default_factory=dict)
    names: dict[str, dict[str, int]] = field(default_factory=lambda: {key: {} for key in GROUP_KEYS})
    rows: list[NDArray[Any]] = field(default_factory=list)
    codes: list[NDArray[np.int32]] = field(default_factory=list)
    favourite_ious: dict[str, list[NDArray[np.float32]]] = field(default_factory=dict)

    def add(self, answers: Sequence[JudgedAnswer]) -> None:
        """Add a block of answers."""
        n_before = sum(len(rows) for rows in self.rows)
        self.rows.append(np.array([self._make_row(answer) for answer in answers], _ROW))
        codes = [
            [self.names[key].setdefault(get(answer), len(self.names[key])) for key, get in GROUP_KEYS.items()]
            for answer in answers
        ]
        self.codes.append(np.array(codes, np.int32).reshape(len(answers), len(GROUP_KEYS)))
        ious: dict[str, NDArray[np.float32]] = {}
        for i, answer in enumerate(answers):
            found = answer.comparison.ious
            for method, position in answer.comparison.favourites.items() if found else ():
                if method not in ious:
                    ious[method] = np.full(len(answers), np.nan, np.float32)
                ious[method][i] = found[position]
        for method in self.favourite_ious.keys() | ious.keys():
            blocks = self.favourite_ious.setdefault(method, [np.full(n_before, np.nan, np.float32)])
            blocks.append(ious.get(method, np.full(len(answers), np.nan, np.float32)))

    def _make_row(self, answer: JudgedAnswer) -> tuple[Any, ...]:
        comparison, edit = answer.comparison, answer.edit
        rank = answer.rank if answer.rank is not None and 0 <= answer.rank <= _MAX_RANK else _NONE
        overlaps = comparison.overlaps or ((0, 0),)
        best = max(overlaps, key=lambda overlap: overlap[0] / overlap[1] if overlap[1] else 0.0)
        return (
            answer.row_id,
            self.images.setdefault(answer.image, len(self.images)),
            _VERDICT_CODES[answer.verdict],
            answer.has_mask,
            rank,
            _find_accepted_place(answer, rank),
            comparison.n_shown,
            bool(comparison.places),
            overlaps[0],
            best,
            _limit(comparison.score, 1.0, np.nan),
            _limit(answer.lead_time_s, MAX_LEAD_TIME_S, np.nan),
            min(max(edit.added_px + edit.removed_px, 0), _MAX_PX) if edit else _NONE,
            _limit(answer.iou, 1.0, 0.0) if edit else np.nan,
            _limit(edit.boundary_iou, 1.0, 0.0) if edit else np.nan,
        )

    def finish(self) -> DecisionTable:
        """Join the blocks."""
        codes = np.concatenate(self.codes)
        return DecisionTable(
            np.concatenate(self.rows),
            {method: np.concatenate(ious) for method, ious in sorted(self.favourite_ious.items())},
            {key: codes[:, i] for i, key in enumerate(GROUP_KEYS)},
            {key: list(names) for key, names in self.names.items()},
        )


def _limit(value: float | None, most: float, otherwise: float) -> float:
    """Return a recorded number in [0, most]. Older records hold missing ones and numbers outside."""
    return value if value is not None and 0 <= value <= most else otherwise


def _find_accepted_place(answer: JudgedAnswer, rank: int) -> int:
    """Return the position of the accepted alternative on the screen; -1 without one."""
    shown = answer.comparison.places or range(answer.comparison.n_shown)
    if answer.verdict is not Verdict.ACCEPTED or not 0 <= rank < len(shown):
        return _NONE
    return shown[rank] if 0 <= shown[rank] <= _MAX_RANK else _NONE

"""Charts of the report, as SVG text without external references."""

import io
from collections.abc import Callable, Mapping, Sequence, Sized
from typing import Any

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # after `use`: otherwise it looks for a display
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter
from numpy.typing import NDArray

from ris.core.types import Verdict
from ris.errors import InputError
from ris.evaluation.decisions.comparisons import compute_calibration
from ris.evaluation.decisions.table import DecisionTable

_CHART_SIZE = (4.6, 2.8)
_MAX_WEEK_NAMES = 8  # under the chart by week
# Of the axes in the chart: left, bottom, width, height. A layout engine would draw each chart twice.
_POSITION, _POSITION_OVER_NAMES = (0.14, 0.17, 0.84, 0.79), (0.14, 0.26, 0.84, 0.7)
_MAX_BARS = 12  # ranks with a bar of their own; the last bar has all higher ones
BLUE, ORANGE, GREY = "#2c6fbb", "#d9772b", "#9aa0a6"
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "ris",  # the same report gives the same bytes
    "svg.fonttype": "path",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def find_charts(table: DecisionTable) -> Mapping[str, str]:
    """Return the titles, by name, of the charts for which there are decisions."""
    return {name: title for name, (title, select, _) in _CHARTS.items() if len(select(table))}


def draw_chart(table: DecisionTable, name: str) -> str:
    """Draw a chart of `find_charts` as SVG.

    Raises:
        InputError: there is no chart of this name, or no decision for it.
    """
    if name not in (known := find_charts(table)):
        raise InputError(f"there is no chart {name!r} of these decisions; there are: {', '.join(known)}")
    _, select, draw = _CHARTS[name]
    return _to_svg(lambda axes: draw(axes, select(table)))


def _to_svg(draw) -> str:  # type: ignore[no-untyped-def]
    with plt.rc_context(STYLE):
        figure: Figure = plt.figure(figsize=_CHART_SIZE)
        axes = figure.add_subplot()
        axes.set_position(_POSITION)
        draw(axes)
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None})
        plt.close(figure)
    text = file.getvalue()
    return text[text.index("<svg") :]


def _draw_ranks(axes: Axes, table: DecisionTable) -> None:
    highest = max(int(table.rows["rank"].max()), 2)
    n_ranks = min(highest + 1, _MAX_BARS)
    ranks = np.minimum(table.rows["rank"], n_ranks - 1)
    bottom = np.zeros(n_ranks + 1)
    for verdict, colour in ((Verdict.ACCEPTED, BLUE), (Verdict.EDITED, ORANGE)):
        chosen = ranks[table.is_verdict(verdict) & (ranks >= 0)]
        heights = np.bincount(chosen, minlength=n_ranks + 1)
        axes.bar(range(len(heights)), heights, bottom=bottom, color=colour, label=verdict.value)
        bottom += heights
    n_redrawn = int(table.is_verdict(Verdict.REDRAWN).sum())
    axes.bar([n_ranks], [n_redrawn], color=GREY, label=Verdict.REDRAWN.value)
    names = [f"{rank + 1}" for rank in range(n_ranks)]
    if highest >= n_ranks:
        names[-1] += "+"
    axes.set_xticks(range(n_ranks + 1), [*names, "none"])
    axes.set_xlabel("rank of the alternative")
    _name_counts(axes)
    axes.legend(frameon=False)


def _name_counts(axes: Axes) -> None:
    axes.set_ylabel("decisions")
    axes.yaxis.set_major_formatter(EngFormatter(sep=""))  # "50k": longer numbers would not fit


def _draw_ious(axes: Axes, table: DecisionTable) -> None:
    axes.hist(table.compute_ious("first"), bins=np.linspace(0, 1, 21).tolist(), color=BLUE)
    axes.set_xlabel("IoU")
    _name_counts(axes)


def _draw_calibration(axes: Axes, rows: Sequence[tuple[float, float, int]]) -> None:
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--")
    most = max(count for _, _, count in rows)
    sizes = [12 + 150 * count / most for _, _, count in rows]
    axes.scatter([score for score, _, _ in rows], [right for _, right, _ in rows], s=sizes, color=BLUE)
    axes.set_xlim(-0.03, 1.03)
    axes.set_ylim(-0.03, 1.03)
    axes.set_xlabel("score of the first alternative")
    axes.set_ylabel("share with IoU of 0.5 or more")


def _draw_times(axes: Axes, times: NDArray[np.float32]) -> None:
    axes.hist(np.clip(times, 0, np.quantile(times, 0.98) + 1e-9), bins=20, color=BLUE)
    axes.set_xlabel("seconds (the longest 2 % are in the last bar)")
    _name_counts(axes)


def _draw_trend(axes: Axes, weeks: Mapping[str, DecisionTable]) -> None:
    means = [float(week.compute_ious("first").mean()) for week in weeks.values()]
    accepted = [float(week.is_verdict(Verdict.ACCEPTED).mean()) for week in weeks.values()]
    axes.plot(list(weeks), means, color=BLUE, marker="o", label="mean IoU, top 1")
    axes.plot(list(weeks), accepted, color=ORANGE, marker="o", label="share accepted")
    axes.set_ylim(0, 1.03)
    step = -(-len(weeks) // _MAX_WEEK_NAMES)
    axes.set_xticks(range(0, len(weeks), step), list(weeks)[::step], rotation=30, ha="right")
    axes.set_position(_POSITION_OVER_NAMES)
    axes.legend(frameon=False)


def _get_times(table: DecisionTable) -> NDArray[np.float32]:
    times = table.rows["lead_time_s"]
    known: NDArray[np.float32] = times[~np.isnan(times)]
    return known


def _split_weeks(table: DecisionTable) -> Mapping[str, DecisionTable]:
    weeks = dict(table.select_with_mask().split("week"))
    return weeks if len(weeks) > 1 else {}


# By name: the title, what is drawn of the decisions (nothing to draw has length 0), and how.
_CHARTS: Mapping[str, tuple[str, Callable[[DecisionTable], Sized], Callable[[Axes, Any], None]]] = {
    "ranks": ("Which alternative was taken", DecisionTable.select_with_mask, _draw_ranks),
    "ious": ("IoU of the first alternative with the final mask", DecisionTable.select_with_mask, _draw_ious),
    "calibration": (
        "How often the first is right, by its score",
        lambda table: compute_calibration(table.select_with_mask()),
        _draw_calibration,
    ),
    "times": ("Seconds in the editor", _get_times, _draw_times),
    "weeks": ("By week", _split_weeks, _draw_trend),
}

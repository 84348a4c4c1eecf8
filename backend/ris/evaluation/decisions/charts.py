"""Charts of the report, as SVG text without external references."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # after `use`: otherwise it looks for a display
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ris.core.types import Verdict
from ris.evaluation.decisions.comparisons import compute_calibration
from ris.evaluation.decisions.table import DecisionTable

_CHART_SIZE = (4.6, 2.8)
_MAX_BARS = 12  # ranks with a bar of their own; the last bar has all higher ones
BLUE, ORANGE, GREY = "#2c6fbb", "#d9772b", "#9aa0a6"
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "ris",  # the same report gives the same bytes
    "svg.fonttype": "path",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def draw_charts(table: DecisionTable) -> Mapping[str, str]:
    """Draw each chart for which there are decisions; return SVG by title."""
    drawn: dict[str, str] = {}
    with_mask = table.select_with_mask()
    if len(with_mask):
        drawn["Which alternative was taken"] = _to_svg(lambda axes: _draw_ranks(axes, with_mask))
        drawn["IoU of the first alternative with the final mask"] = _to_svg(
            lambda axes: _draw_ious(axes, with_mask)
        )
        if rows := compute_calibration(with_mask):
            drawn["How often the first is right, by its score"] = _to_svg(
                lambda a: _draw_calibration(a, rows)
            )
    times = table.rows["lead_time_s"]
    times = times[~np.isnan(times)]
    if len(times):
        drawn["Seconds in the editor"] = _to_svg(lambda axes: _draw_times(axes, times))
    weeks = dict(with_mask.split("week"))
    if len(weeks) > 1:
        drawn["By week"] = _to_svg(lambda axes: _draw_trend(axes, weeks))
    return drawn


def _to_svg(draw) -> str:  # type: ignore[no-untyped-def]
    with plt.rc_context(STYLE):
        figure: Figure = plt.figure(figsize=_CHART_SIZE, layout="constrained")
        draw(figure.add_subplot())
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
    axes.set_ylabel("decisions")
    axes.legend(frameon=False)


def _draw_ious(axes: Axes, table: DecisionTable) -> None:
    axes.hist(table.compute_ious("first"), bins=np.linspace(0, 1, 21).tolist(), color=BLUE)
    axes.set_xlabel("IoU")
    axes.set_ylabel("decisions")


def _draw_calibration(axes: Axes, rows: Sequence[tuple[float, float, int]]) -> None:
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--")
    sizes = [12 + 4 * count**0.5 for _, _, count in rows]
    axes.scatter([score for score, _, _ in rows], [right for _, right, _ in rows], s=sizes, color=BLUE)
    axes.set_xlim(-0.03, 1.03)
    axes.set_ylim(-0.03, 1.03)
    axes.set_xlabel("score of the first alternative")
    axes.set_ylabel("share with IoU of 0.5 or more")


def _draw_times(axes: Axes, times: NDArray[np.float32]) -> None:
    axes.hist(np.clip(times, 0, np.quantile(times, 0.98) + 1e-9), bins=20, color=BLUE)
    axes.set_xlabel("seconds (the longest 2 % are in the last bar)")
    axes.set_ylabel("decisions")


def _draw_trend(axes: Axes, weeks: Mapping[str, DecisionTable]) -> None:
    means = [float(week.compute_ious("first").mean()) for week in weeks.values()]
    accepted = [float(week.is_verdict(Verdict.ACCEPTED).mean()) for week in weeks.values()]
    axes.plot(list(weeks), means, color=BLUE, marker="o", label="mean IoU, top 1")
    axes.plot(list(weeks), accepted, color=ORANGE, marker="o", label="share accepted")
    axes.set_ylim(0, 1.03)
    axes.tick_params(axis="x", rotation=30)
    axes.legend(frameon=False)

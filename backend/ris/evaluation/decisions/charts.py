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

from ris.core.types import Verdict
from ris.evaluation.decisions.comparisons import compute_calibration
from ris.evaluation.decisions.metrics import (
    DecisionEvaluation,
    get_first_iou,
    group_decisions,
)

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


def draw_charts(evaluations: Sequence[DecisionEvaluation]) -> Mapping[str, str]:
    """Draw each chart for which there are decisions; return SVG by title."""
    drawn: dict[str, str] = {}
    with_mask = [e for e in evaluations if e.has_mask]
    if with_mask:
        drawn["Which alternative was taken"] = _to_svg(lambda axes: _draw_ranks(axes, with_mask))
        drawn["IoU of the first alternative with the final mask"] = _to_svg(
            lambda axes: _draw_ious(axes, with_mask)
        )
        if rows := compute_calibration(with_mask):
            drawn["How often the first is right, by its score"] = _to_svg(
                lambda a: _draw_calibration(a, rows)
            )
    times = [t for e in evaluations if (t := e.lead_time_s) is not None]
    if times:
        drawn["Seconds in the editor"] = _to_svg(lambda axes: _draw_times(axes, times))
    weeks = group_decisions(with_mask, "week")
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


def _draw_ranks(axes: Axes, evaluations: Sequence[DecisionEvaluation]) -> None:
    chosen_ranks = [e.decision.correction.rank or 0 for e in evaluations]
    ranks = range(min(max([*chosen_ranks, 2]) + 1, _MAX_BARS))
    is_cut = max(chosen_ranks) > ranks[-1]
    kinds = {Verdict.ACCEPTED: BLUE, Verdict.EDITED: ORANGE}
    bottom = np.zeros(len(ranks) + 1)
    for verdict, colour in kinds.items():
        chosen = [e.decision.correction.rank for e in evaluations if e.verdict is verdict]
        bars = [min(rank, ranks[-1]) for rank in chosen if rank is not None]
        counts = [bars.count(rank) for rank in ranks]
        heights = np.array([*counts, 0])
        axes.bar(range(len(heights)), heights, bottom=bottom, color=colour, label=verdict.value)
        bottom += heights
    redrawn = sum(e.verdict is Verdict.REDRAWN for e in evaluations)
    axes.bar([len(ranks)], [redrawn], color=GREY, label=Verdict.REDRAWN.value)
    names = [f"{rank + 1}" for rank in ranks[:-1]] + [f"{ranks[-1] + 1}{'+' if is_cut else ''}"]
    axes.set_xticks(range(len(ranks) + 1), [*names, "none"])
    axes.set_xlabel("rank of the alternative")
    axes.set_ylabel("decisions")
    axes.legend(frameon=False)


def _draw_ious(axes: Axes, evaluations: Sequence[DecisionEvaluation]) -> None:
    axes.hist([get_first_iou(e.ious) for e in evaluations], bins=np.linspace(0, 1, 21).tolist(), color=BLUE)
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


def _draw_times(axes: Axes, times: Sequence[float]) -> None:
    axes.hist(np.clip(times, 0, np.quantile(times, 0.98) + 1e-9), bins=20, color=BLUE)
    axes.set_xlabel("seconds (the longest 2 % are in the last bar)")
    axes.set_ylabel("decisions")


def _draw_trend(axes: Axes, weeks: Mapping[str, Sequence[DecisionEvaluation]]) -> None:
    means = [float(np.mean([get_first_iou(e.ious) for e in week])) for week in weeks.values()]
    accepted = [float(np.mean([e.verdict is Verdict.ACCEPTED for e in week])) for week in weeks.values()]
    axes.plot(list(weeks), means, color=BLUE, marker="o", label="mIoU of the first alternative")
    axes.plot(list(weeks), accepted, color=ORANGE, marker="o", label="share accepted")
    axes.set_ylim(0, 1.03)
    axes.tick_params(axis="x", rotation=30)
    axes.legend(frameon=False)

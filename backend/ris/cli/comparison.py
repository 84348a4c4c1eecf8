"""Print the metrics of one split as a table, and below it published figures."""

from collections.abc import Sequence

from rich.table import Table

from ris.cli.console import console, make_table
from ris.core.shares import Share
from ris.evaluation.refcoco.metrics import PRECISION_THRESHOLDS, RankingMetrics, SplitMetrics
from ris.evaluation.refcoco.published import Published

MAX_SHOWN_REASONS = 20
_NO_REFERENT_NOTE = (
    "oIoU and mIoU are cIoU and gIoU of gRefCOCO here. An expression has no answer only if its image has no "
    "proposed mask; N-acc is the share of those among the expressions without a referent"
)


def print_split(split: SplitMetrics, others: Sequence[Published]) -> None:
    """Print both tables in percent, and the reasons why expressions have no answer."""
    title = (
        f"{split.dataset} {split.split_by} {split.split}: {split.count} expressions, {split.images} images"
    )
    console.print(_make_own_table(title, split.by_method))
    if any(figures.n_acc.count for figures in split.by_method.values()):
        console.print(_NO_REFERENT_NOTE)
    for line in _list_miss_reasons(split.by_method):
        console.print(line, markup=False)
    if others:
        console.print(_make_published_table(others))


def _make_own_table(title: str, by_method: dict[str, RankingMetrics]) -> Table:
    headings = [
        "oIoU",
        "mIoU",
        *(f"P@{threshold}" for threshold in PRECISION_THRESHOLDS),
        "N-acc",
        "T-acc",
        "s",
    ]
    has_no_referents = any(figures.n_acc.count for figures in by_method.values())
    shown = [name for name in headings if has_no_referents or not name.endswith("acc")]
    table = make_table("ranking", *shown, title=title, numbers=True)
    for method, figures in by_method.items():
        cells = {
            "oIoU": _format_percent(figures.o_iou),
            "mIoU": _format_interval(figures.m_iou),
            **{f"P@{t}": _format_percent(share.mean) for t, share in figures.precision.items()},
            "N-acc": _format_percent(figures.n_acc.mean),
            "T-acc": _format_percent(figures.t_acc.mean),
            "s": f"{figures.seconds:.2f}",
        }
        table.add_row(method, *(cells[name] for name in shown))
    return table


def _list_miss_reasons(by_method: dict[str, RankingMetrics]) -> list[str]:
    """List the reasons why expressions have no answer, each with its rankings."""
    rankings: dict[tuple[str, int], list[str]] = {}
    for method, figures in by_method.items():
        for reason, count in figures.missed.items():
            rankings.setdefault((reason, count), []).append(method)
    lines = [
        f"{count} expressions without an answer of {', '.join(methods)}: {reason}"
        for (reason, count), methods in sorted(rankings.items(), key=lambda one: -one[0][1])
    ]
    rest = len(lines) - MAX_SHOWN_REASONS
    return (
        lines
        if rest <= 0
        else [*lines[:MAX_SHOWN_REASONS], f"and {rest} more reasons, in the column `reason`"]
    )


def _make_published_table(others: Sequence[Published]) -> Table:
    table = make_table("published", "networks", "oIoU", "mIoU", "source", "trained on these images", "note")
    lines: dict[tuple[str, ...], dict[str, float]] = {}
    for one in others:
        line = one.method, one.networks, one.source, one.training_data, one.note
        lines.setdefault(line, {})[one.metric] = one.value
    for (method, networks, source, training_data, note), values in lines.items():
        shown = [f"{values[metric]:g}" if metric in values else "" for metric in ("oIoU", "mIoU")]
        table.add_row(method, networks, *shown, source, training_data, note)
    return table


def _format_interval(share: Share) -> str:
    return f"{_format_percent(share.mean)} [{_format_percent(share.low)}, {_format_percent(share.high)}]"


def _format_percent(value: float) -> str:
    return f"{100 * value:.2f}"

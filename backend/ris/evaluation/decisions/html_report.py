"""The report as one HTML page without scripts and without other files. All text is escaped."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

from ris.core.shares import Share
from ris.evaluation.decisions.charts import draw_charts
from ris.evaluation.decisions.comparisons import ENSEMBLE, compare_methods, measure_position_bias
from ris.evaluation.decisions.galleries import Gallery
from ris.evaluation.decisions.metrics import (
    DecisionMetrics,
    compute_decision_metrics,
    compute_main_shares,
)
from ris.evaluation.decisions.table import DecisionTable

TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, trim_blocks=True
)


@dataclass(frozen=True, slots=True)
class ReportTable:
    """A table of the report: a title, headings and rows of text, with an optional note."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


def render_page(
    table: DecisionTable,
    *,
    title: str,
    subtitle: str,
    galleries: Sequence[Gallery] = (),
    alarms: Sequence[str] = (),
    warnings: Sequence[str] = (),
    extra_tables: Sequence[ReportTable] = (),
    footer: str = "",
) -> str:
    """Render the report.

    Args:
        table: the decisions to report on.
        title: heading of the page.
        subtitle: line of text below the heading.
        galleries: pictures of decisions, see `make_galleries`.
        alarms: sentences at the top of the page, in red.
        warnings: sentences below the alarms, in orange.
        extra_tables: tables after those of the report.
        footer: sentence at the end of the page.

    Returns:
        The page as HTML.
    """
    metrics = compute_decision_metrics(table)
    return TEMPLATES.get_template("report.html").render(
        title=title,
        subtitle=subtitle,
        alarms=alarms,
        warnings=warnings,
        tiles=_make_tiles(metrics),
        tables=[*_make_tables(table, metrics), *extra_tables],
        charts=draw_charts(table),
        galleries=galleries,
        footer=footer,
    )


def _make_tiles(metrics: DecisionMetrics) -> list[tuple[str, str, str]]:
    decisions = sum(metrics.counts.values())
    return [
        ("decisions", str(decisions), ", ".join(f"{n} {v}" for v, n in metrics.counts.items() if n)),
        ("accepted", *_format_share(metrics.shares["accepted"])),
        ("accepted first", *_format_share(metrics.shares["accepted first"])),
        ("mIoU of the first", *_format_share(metrics.shares["mIoU of the first"])),
        ("mIoU of the best", *_format_share(metrics.shares["mIoU of the best"])),
        ("oIoU of the first", f"{metrics.o_iou:.3f}" if metrics.shares["accepted"].count else "-", ""),
        ("median lead time", "-" if metrics.lead_time_s is None else f"{metrics.lead_time_s:.1f} s", ""),
    ]


def _format_share(value: Share) -> tuple[str, str]:
    if not value.count:
        return "-", "no decision with a mask"
    return f"{value.mean:.3f}", f"[{value.low:.3f}, {value.high:.3f}] of {value.count}"


def _make_tables(table: DecisionTable, metrics: DecisionMetrics) -> list[ReportTable]:
    tables = [
        ReportTable(
            "All figures",
            ("figure", "mean and interval", "decisions"),
            [(name, str(value), str(value.count)) for name, value in metrics.shares.items() if value.count]
            + (
                [("median pixels changed by an edit", f"{metrics.edit_px:.0f}", "")]
                if metrics.edit_px
                else []
            ),
            "First: the alternative with rank 1. Best: the alternative with the highest IoU. A task without "
            "alternatives is a miss. N-acc: share of the expressions without a referent for which nothing "
            "was offered. T-acc: share of the expressions with a referent for which something was offered.",
        ),
        ReportTable(
            "Methods on the same decisions",
            ("method", "mIoU of its favourite", "difference to the first", "decisions"),
            [
                (name, str(own), "" if name == ENSEMBLE else str(gain), str(own.count))
                for name, (own, gain) in compare_methods(table).items()
                if own.count
            ],
            "Favourite: the alternative that the method ranks best. Only the alternatives on the screen "
            "count, because the annotators saw no others.",
        ),
    ]
    bias = measure_position_bias(table)
    if bias:
        rows = [(str(place + 1), str(at_place), str(at_rank)) for place, at_place, at_rank in bias]
        note = (
            f"{bias[0][1].count} decisions whose alternatives were shown in random order. Equal shares at "
            "all places mean that annotators choose by quality; equal shares for all ranks mean that they "
            "choose by position."
        )
        headings = ("place or rank", "accepted at this place", "accepted with this rank")
        tables.append(ReportTable("Place and rank", headings, rows, note))
    for by, heading in (
        ("kind", "By kind of expression"),
        ("version", "By model version"),
        ("project", "By project"),
        ("annotator", "By annotator"),
    ):
        groups = [_make_row(name, group) for name, group in table.split(by)]
        tables.append(ReportTable(heading, (by, *_COLUMNS, "decisions"), groups))
    return tables


_COLUMNS = ("accepted", "accepted first", "mIoU of the first", "mIoU of the best")


def _make_row(name: str, group: DecisionTable) -> list[str]:
    shares = compute_main_shares(group)
    return [name, *(str(shares[column]) for column in _COLUMNS), str(len(group))]

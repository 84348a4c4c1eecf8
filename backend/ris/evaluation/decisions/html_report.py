"""The report as one HTML page without scripts and without other files, and the figures of the page at `/`."""

import base64
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from ris.core.shares import Share
from ris.evaluation.decisions.cells import ReportNames, ReportTable
from ris.evaluation.decisions.charts import draw_chart, find_charts
from ris.evaluation.decisions.comparisons import ENSEMBLE, compare_methods, measure_position_bias
from ris.evaluation.decisions.galleries import Gallery
from ris.evaluation.decisions.metrics import (
    DecisionMetrics,
    compute_decision_metrics,
    compute_main_shares,
)
from ris.evaluation.decisions.table import DecisionTable

TEMPLATES = Path(__file__).parent / "templates"


@cache  # compiling the templates takes longer than rendering a page
def make_environment(*folders: Path) -> jinja2.Environment:
    """Return the templates of these folders and of the report; all text is escaped."""
    loader = jinja2.FileSystemLoader([*folders, TEMPLATES])
    return jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True)


def make_figures(table: DecisionTable, names: ReportNames) -> dict[str, Any]:
    """Make what the templates show of the decisions as text: "tiles" and "tables".

    Args:
        table: the decisions.
        names: of projects and annotators.
    """
    metrics = compute_decision_metrics(table)
    return {"tiles": _make_tiles(metrics), "tables": _make_tables(table, metrics, names)}


def render_report(
    table: DecisionTable,
    *,
    title: str,
    subtitle: str,
    galleries: Sequence[Gallery] = (),
    first_tables: Sequence[ReportTable] = (),
    names: ReportNames = ReportNames(),  # noqa: B008 - it is frozen
    footer: str = "",
) -> str:
    """Render the report as one HTML file.

    Args:
        table: the decisions to report on.
        title: heading of the page.
        subtitle: line of text below the heading.
        galleries: pictures of decisions, see `make_galleries`.
        first_tables: tables that are not folded.
        names: of projects and annotators.
        footer: sentence at the end of the page.

    Returns:
        The page as HTML.
    """
    charts = {title: _to_data_uri(draw_chart(table, name)) for name, title in find_charts(table).items()}
    return make_environment().get_template("report.html").render(
        title=title, subtitle=subtitle, first_tables=first_tables, galleries=galleries, footer=footer,
        charts=charts, **make_figures(table, names),
    )  # fmt: skip


def _to_data_uri(svg: str) -> str:
    """Return a picture that a page may show without allowing styles inside it."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode("ascii")


def _make_tiles(metrics: DecisionMetrics) -> list[tuple[str, str, str]]:
    decisions = sum(metrics.counts.values())
    return [
        ("decisions here", str(decisions), ", ".join(f"{n} {v}" for v, n in metrics.counts.items() if n)),
        ("accepted", *_format_share(metrics.shares["accepted"])),
        ("accepted first", *_format_share(metrics.shares["accepted first"])),
        ("mean IoU, top 1", *_format_share(metrics.shares["mean IoU, top 1"])),
        ("mean IoU, best shown", *_format_share(metrics.shares["mean IoU, best shown"])),
        ("oIoU, top 1", f"{metrics.o_iou:.3f}" if metrics.shares["accepted"].count else "-", ""),
        ("median lead time", "-" if metrics.lead_time_s is None else f"{metrics.lead_time_s:.1f} s", ""),
    ]


def _format_share(value: Share) -> tuple[str, str]:
    if not value.count:
        return "-", "no decision with a mask"
    interval = f"[{value.low:.3f}, {value.high:.3f}] " if value.has_interval else ""
    return f"{value.mean:.3f}", f"{interval}of {value.count}"


def _make_tables(table: DecisionTable, metrics: DecisionMetrics, names: ReportNames) -> list[ReportTable]:
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
            "Top 1: the alternative with rank 1. Best shown: the alternative with the highest IoU. A task "
            "without alternatives is a miss. N-acc: share of the expressions without a referent for which "
            "nothing was offered. T-acc: share of the expressions with a referent for which something was "
            "offered.",
        ),
        ReportTable(
            "Methods on the same decisions",
            ("method", "mean IoU of its favourite", "difference to top 1", "decisions"),
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
        groups = [_make_row(names.name_group(by, name), group) for name, group in table.split(by)]
        tables.append(ReportTable(heading, (by, *_COLUMNS, "decisions"), groups))
    return tables


_COLUMNS = ("accepted", "accepted first", "mean IoU, top 1", "mean IoU, best shown")


def _make_row(name: str, group: DecisionTable) -> list[str]:
    shares = compute_main_shares(group)
    return [name, *(str(shares[column]) for column in _COLUMNS), str(len(group))]

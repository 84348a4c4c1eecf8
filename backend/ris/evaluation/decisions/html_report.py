"""The report as one HTML page without scripts and without other files. All text is escaped."""

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from ris.core.decision import Decision
from ris.core.shares import Share
from ris.core.types import Verdict
from ris.errors import BackendError
from ris.evaluation.decisions.charts import draw_charts
from ris.evaluation.decisions.comparisons import ENSEMBLE, compare_methods, measure_position_bias
from ris.evaluation.decisions.metrics import (
    DecisionEvaluation,
    DecisionMetrics,
    compute_decision_metrics,
    get_first_iou,
    group_decisions,
)
from ris.evaluation.drawing import FINAL_COLOUR, draw_masks

MAX_GALLERY_PICTURES = 12
PANE_PX = 420  # the width of a picture
MAX_PANE_HEIGHT_PX = 1260  # of a very tall one, which is narrower

PixelSource = Callable[[DecisionEvaluation], NDArray[np.uint8]]

_FOLDER = Path(__file__).parent / "templates"
STYLESHEET = _FOLDER / "report.css"
TEMPLATES = jinja2.Environment(loader=jinja2.FileSystemLoader(_FOLDER), autoescape=True, trim_blocks=True)
TEMPLATES.filters["to_data_uri"] = lambda svg: (
    "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode("ascii")
)


@dataclass(frozen=True, slots=True)
class ReportTable:
    """A table of the report: a title, headings and rows of text, with an optional note."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class GalleryPicture:
    """One picture of a gallery.

    Attributes:
        picture: the picture as a data: URI; "" if there is none.
        missing: the reason why there is no picture; "" if there is one.
        expression: the expression of the task.
        detail: task, verdict and IoU as a line of text.
    """

    picture: str
    missing: str
    expression: str
    detail: str


@dataclass(frozen=True, slots=True)
class Gallery:
    """Pictures under one title.

    The list is not named `items`, because Jinja would read `gallery.items` as the method of a dict.
    """

    title: str
    pictures: Sequence[GalleryPicture]


def render_page(
    evaluations: Sequence[DecisionEvaluation],
    *,
    title: str,
    subtitle: str,
    pixels: PixelSource | None = None,
    alarms: Sequence[str] = (),
    warnings: Sequence[str] = (),
    extra_tables: Sequence[ReportTable] = (),
    footer: str = "",
    stylesheet: str = "",
) -> str:
    """Render the report.

    Args:
        evaluations: the decisions to report on.
        title: heading of the page.
        subtitle: line of text below the heading.
        pixels: returns the image of a decision, uint8 [H, W, 3], RGB, or raises a BackendError. None: the
            report has no galleries.
        alarms: sentences at the top of the page, in red.
        warnings: sentences below the alarms, in orange.
        extra_tables: tables after those of the report.
        footer: sentence at the end of the page.
        stylesheet: address of `STYLESHEET`; the page then has no style of its own, as a strict Content
            Security Policy asks for. "" writes the style into the page.

    Returns:
        The page as HTML.
    """
    metrics = compute_decision_metrics(evaluations)
    return TEMPLATES.get_template("report.html").render(
        title=title,
        subtitle=subtitle,
        alarms=alarms,
        warnings=warnings,
        tiles=_make_tiles(metrics),
        tables=[*_make_tables(evaluations, metrics), *extra_tables],
        charts=draw_charts(evaluations),
        galleries=_make_galleries(evaluations, pixels) if pixels else [],
        footer=footer,
        stylesheet=stylesheet,
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


def _make_tables(evaluations: Sequence[DecisionEvaluation], metrics: DecisionMetrics) -> list[ReportTable]:
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
                for name, (own, gain) in compare_methods(evaluations).items()
                if own.count
            ],
            "Favourite: the alternative that the method ranks best. Only the alternatives on the screen "
            "count, because the annotators saw no others.",
        ),
    ]
    bias = measure_position_bias(evaluations)
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
        tables.append(
            ReportTable(heading, (by, *_COLUMNS, "decisions"), _make_rows(group_decisions(evaluations, by)))
        )
    return tables


_COLUMNS = ("accepted", "accepted first", "mIoU of the first", "mIoU of the best")


def _make_rows(groups: Mapping[str, Sequence[DecisionEvaluation]]) -> list[list[str]]:
    rows = []
    for name, group in groups.items():
        metrics = compute_decision_metrics(group)
        rows.append([name, *(str(metrics.shares[column]) for column in _COLUMNS), str(len(group))])
    return rows


def _make_galleries(evaluations: Sequence[DecisionEvaluation], read_pixels: PixelSource) -> list[Gallery]:
    with_mask = [e for e in evaluations if e.has_mask]
    misses = sorted(with_mask, key=lambda e: get_first_iou(e.ious))
    misses = [e for e in misses if get_first_iou(e.ious) < 0.5][:MAX_GALLERY_PICTURES]
    edits = [e for e in with_mask if e.verdict is Verdict.EDITED and e.edit_px]
    edits = sorted(edits, key=lambda e: -(e.edit_px or 0))[:MAX_GALLERY_PICTURES]
    sections = (("The worst misses", misses), ("The largest edits", edits))
    return [
        Gallery(title, [_make_gallery_picture(e, read_pixels) for e in group])
        for title, group in sections
        if group
    ]


def _make_gallery_picture(evaluation: DecisionEvaluation, read_pixels: PixelSource) -> GalleryPicture:
    task = evaluation.decision.correction.annotation.task
    iou = get_first_iou(evaluation.ious)
    detail = f"task {task.task_id}, {evaluation.verdict.value}, IoU of the first alternative {iou:.2f}"
    try:
        picture = _draw_decision(evaluation.decision, read_pixels(evaluation))
        return GalleryPicture(picture, "", task.expression, detail)
    except BackendError as error:
        return GalleryPicture("", str(error), task.expression, detail)


def _draw_decision(decision: Decision, image: NDArray[np.uint8]) -> str:
    """Draw the alternatives (left) and the final mask (right); masks of another size are not drawn."""
    final = decision.correction.annotation.mask
    masks = [alternative.suggestion.mask for alternative in decision.alternatives]
    alternatives = [mask for mask in masks if mask.size == image.shape[:2]]
    finals = [final] if final is not None and final.size == image.shape[:2] else []
    factor = min(PANE_PX / image.shape[1], MAX_PANE_HEIGHT_PX / image.shape[0])
    left = draw_masks(image, alternatives, factor=factor)
    right = draw_masks(image, finals, [FINAL_COLOUR], factor=factor)
    both = Pillow.new("RGB", (left.width + right.width + 4, left.height), "white")
    both.paste(left, (0, 0))
    both.paste(right, (left.width + 4, 0))
    file = io.BytesIO()
    both.save(file, "JPEG", quality=82)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode("ascii")

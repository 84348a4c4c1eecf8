"""The report as one HTML page that opens anywhere: no script, no file beside it. Words are escaped."""

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

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
PANE_PX = 420

PixelSource = Callable[[DecisionEvaluation], NDArray[np.uint8]]

TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, trim_blocks=True
)


@dataclass(frozen=True, slots=True)
class ReportTable:
    """Rows of text under headings."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class GalleryPicture:
    """One picture of a gallery: a data: URI, or the sentence that says why there is none."""

    picture: str
    missing: str
    expression: str
    detail: str


@dataclass(frozen=True, slots=True)
class Gallery:
    """Pictures under one title; the name of the list must not be `items`, which a template reads wrongly."""

    title: str
    pictures: Sequence[GalleryPicture]


def render_page(
    found: Sequence[DecisionEvaluation],
    *,
    title: str,
    about: str,
    pixels: PixelSource | None = None,
    alarms: Sequence[str] = (),
    warnings: Sequence[str] = (),
    more: Sequence[ReportTable] = (),
    footer: str = "",
) -> str:
    """The whole page.

    Args:
        pixels: gives a decision's image, uint8 [H, W, 3], or raises a BackendError; None draws none.
        alarms: sentences that stand above everything, in red.
        warnings: sentences that stand below them.
        more: tables that follow the report's own.
    """
    all_of_it = compute_decision_metrics(found)
    return TEMPLATES.get_template("report.html").render(
        title=title,
        about=about,
        alarms=alarms,
        warnings=warnings,
        tiles=_make_tiles(all_of_it),
        tables=[*_make_tables(found, all_of_it), *more],
        charts=draw_charts(found),
        galleries=_make_galleries(found, pixels) if pixels else [],
        footer=footer,
    )


def _make_tiles(of: DecisionMetrics) -> list[tuple[str, str, str]]:
    decisions = sum(of.counts.values())
    return [
        ("decisions", str(decisions), ", ".join(f"{n} {v}" for v, n in of.counts.items() if n)),
        ("accepted", *_format_share(of.shares["accepted"])),
        ("accepted first", *_format_share(of.shares["accepted first"])),
        ("mIoU of the first", *_format_share(of.shares["mIoU of the first"])),
        ("mIoU of the best", *_format_share(of.shares["mIoU of the best"])),
        ("oIoU of the first", f"{of.o_iou:.3f}" if of.shares["accepted"].count else "-", ""),
        ("median lead time", "-" if of.lead_time_s is None else f"{of.lead_time_s:.1f} s", ""),
    ]


def _format_share(value: Share) -> tuple[str, str]:
    if not value.count:
        return "-", "no decision with a mask"
    return f"{value.mean:.3f}", f"[{value.low:.3f}, {value.high:.3f}] of {value.count}"


def _make_tables(found: Sequence[DecisionEvaluation], of: DecisionMetrics) -> list[ReportTable]:
    tables = [
        ReportTable(
            "All figures",
            ("figure", "mean and interval", "decisions"),
            [(name, str(value), str(value.count)) for name, value in of.shares.items() if value.count]
            + ([("median pixels changed by an edit", f"{of.edit_px:.0f}", "")] if of.edit_px else []),
            "A task for which nothing was offered is a miss. N-acc: no referent and nothing offered; "
            "T-acc: a referent and something offered.",
        ),
        ReportTable(
            "Methods on the same decisions",
            ("method", "mIoU of its favourite", "above what came first", "decisions"),
            [
                (name, str(own), "" if name == ENSEMBLE else str(gain), str(own.count))
                for name, (own, gain) in compare_methods(found).items()
                if own.count
            ],
            "A method's favourite among the alternatives on the screen: only those were judged.",
        ),
    ]
    stood = measure_position_bias(found)
    if stood:
        rows = [(str(place + 1), str(there), str(of_rank)) for place, there, of_rank in stood]
        note = (
            f"Of the {stood[0][1].count} decisions whose alternatives stood in random order: "
            "do people take what is best, or what comes first?"
        )
        tables.append(
            ReportTable("Place and rank", ("", "accepted at this place", "accepted of this rank"), rows, note)
        )
    for by, heading in (
        ("kind", "By kind of expression"),
        ("version", "By model version"),
        ("project", "By project"),
        ("annotator", "By annotator"),
    ):
        tables.append(
            ReportTable(heading, (by, *_COLUMNS, "decisions"), _make_rows(group_decisions(found, by)))
        )
    return tables


_COLUMNS = ("accepted", "accepted first", "mIoU of the first", "mIoU of the best")


def _make_rows(groups: Mapping[str, Sequence[DecisionEvaluation]]) -> list[list[str]]:
    rows = []
    for name, group in groups.items():
        of = compute_decision_metrics(group)
        rows.append([name, *(str(of.shares[column]) for column in _COLUMNS), str(len(group))])
    return rows


def _make_galleries(found: Sequence[DecisionEvaluation], pixels: PixelSource) -> list[Gallery]:
    with_mask = [j for j in found if j.has_mask]
    misses = sorted(with_mask, key=lambda j: get_first_iou(j.ious))
    misses = [j for j in misses if get_first_iou(j.ious) < 0.5][:MAX_GALLERY_PICTURES]
    edits = [j for j in with_mask if j.verdict is Verdict.EDITED and j.edit_px]
    edits = sorted(edits, key=lambda j: -(j.edit_px or 0))[:MAX_GALLERY_PICTURES]
    sections = (("The worst misses", misses), ("The largest edits", edits))
    return [
        Gallery(title, [_make_gallery_picture(j, pixels) for j in group])
        for title, group in sections
        if group
    ]


def _make_gallery_picture(j: DecisionEvaluation, pixels: PixelSource) -> GalleryPicture:
    task = j.decision.correction.annotation.task
    detail = f"task {task.task_id}, {j.verdict.value}, IoU of the first {get_first_iou(j.ious):.2f}"
    try:
        return GalleryPicture(_draw_decision(j, pixels(j)), "", task.expression, detail)
    except BackendError as error:
        return GalleryPicture("", str(error), task.expression, detail)


def _draw_decision(j: DecisionEvaluation, image: NDArray[np.uint8]) -> str:
    final = j.decision.correction.annotation.mask
    offers = [offer.suggestion.mask for offer in j.decision.alternatives]
    shown = [mask for mask in offers if mask.size == image.shape[:2]]
    fits = [final] if final is not None and final.size == image.shape[:2] else []
    factor = PANE_PX / image.shape[1]
    left, right = (
        draw_masks(image, shown, factor=factor),
        draw_masks(image, fits, [FINAL_COLOUR], factor=factor),
    )
    both = Pillow.new("RGB", (left.width + right.width + 4, left.height), "white")
    both.paste(left, (0, 0))
    both.paste(right, (left.width + 4, 0))
    file = io.BytesIO()
    both.save(file, "JPEG", quality=82)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode("ascii")

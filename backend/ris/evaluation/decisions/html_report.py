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
from ris.evaluation.decisions.charts import charts
from ris.evaluation.decisions.metrics import (
    ENSEMBLE,
    Figures,
    Judged,
    compared,
    figures,
    first,
    positions,
    split,
)
from ris.evaluation.drawing import FINAL, overlay

WORST = 12
PANE_PX = 420

Pixels = Callable[[Judged], NDArray[np.uint8]]

TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, trim_blocks=True
)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under headings."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One picture of a gallery: a data: URI, or the sentence that says why there is none."""

    picture: str
    missing: str
    expression: str
    detail: str


@dataclass(frozen=True, slots=True)
class Gallery:
    """Pictures under one title; the name of the list must not be `items`, which a template reads wrongly."""

    title: str
    pictures: Sequence[Item]


def page(
    found: Sequence[Judged],
    *,
    title: str,
    about: str,
    pixels: Pixels | None = None,
    alarms: Sequence[str] = (),
    warnings: Sequence[str] = (),
    more: Sequence[Table] = (),
    footer: str = "",
) -> str:
    """The whole page.

    Args:
        pixels: gives a decision's image, uint8 [H, W, 3], or raises a BackendError; None draws none.
        alarms: sentences that stand above everything, in red.
        warnings: sentences that stand below them.
        more: tables that follow the report's own.
    """
    all_of_it = figures(found)
    return TEMPLATES.get_template("report.html").render(
        title=title,
        about=about,
        alarms=alarms,
        warnings=warnings,
        tiles=_tiles(all_of_it),
        tables=[*_tables(found, all_of_it), *more],
        charts=charts(found),
        galleries=_galleries(found, pixels) if pixels else [],
        footer=footer,
    )


def _tiles(of: Figures) -> list[tuple[str, str, str]]:
    decisions = sum(of.counts.values())
    return [
        ("decisions", str(decisions), ", ".join(f"{n} {v}" for v, n in of.counts.items() if n)),
        ("accepted", *_tile(of.shares["accepted"])),
        ("accepted first", *_tile(of.shares["accepted first"])),
        ("mIoU of the first", *_tile(of.shares["mIoU of the first"])),
        ("mIoU of the best", *_tile(of.shares["mIoU of the best"])),
        ("oIoU of the first", f"{of.o_iou:.3f}" if of.shares["accepted"].count else "-", ""),
        ("median lead time", "-" if of.lead_time_s is None else f"{of.lead_time_s:.1f} s", ""),
    ]


def _tile(value: Share) -> tuple[str, str]:
    if not value.count:
        return "-", "no decision with a mask"
    return f"{value.mean:.3f}", f"[{value.low:.3f}, {value.high:.3f}] of {value.count}"


def _tables(found: Sequence[Judged], of: Figures) -> list[Table]:
    tables = [
        Table(
            "All figures",
            ("figure", "mean and interval", "decisions"),
            [(name, str(value), str(value.count)) for name, value in of.shares.items() if value.count]
            + ([("median pixels changed by an edit", f"{of.changed_px:.0f}", "")] if of.changed_px else []),
            "A task for which nothing was offered is a miss. N-acc: no referent and nothing offered; "
            "T-acc: a referent and something offered.",
        ),
        Table(
            "Methods on the same decisions",
            ("method", "mIoU of its favourite", "above what came first", "decisions"),
            [
                (name, str(own), "" if name == ENSEMBLE else str(gain), str(own.count))
                for name, (own, gain) in compared(found).items()
                if own.count
            ],
            "A method's favourite among the alternatives on the screen: only those were judged.",
        ),
    ]
    stood = positions(found)
    if stood:
        rows = [(str(place + 1), str(there), str(of_rank)) for place, there, of_rank in stood]
        note = (
            f"Of the {stood[0][1].count} decisions whose alternatives stood in random order: "
            "do people take what is best, or what comes first?"
        )
        tables.append(
            Table("Place and rank", ("", "accepted at this place", "accepted of this rank"), rows, note)
        )
    for by, heading in (
        ("kind", "By kind of expression"),
        ("version", "By model version"),
        ("project", "By project"),
        ("annotator", "By annotator"),
    ):
        tables.append(Table(heading, (by, *_COLUMNS, "decisions"), _rows(split(found, by))))
    return tables


_COLUMNS = ("accepted", "accepted first", "mIoU of the first", "mIoU of the best")


def _rows(groups: Mapping[str, Sequence[Judged]]) -> list[list[str]]:
    rows = []
    for name, group in groups.items():
        of = figures(group)
        rows.append([name, *(str(of.shares[column]) for column in _COLUMNS), str(len(group))])
    return rows


def _galleries(found: Sequence[Judged], pixels: Pixels) -> list[Gallery]:
    with_mask = [j for j in found if j.has_mask]
    misses = sorted(with_mask, key=lambda j: first(j.ious))
    misses = [j for j in misses if first(j.ious) < 0.5][:WORST]
    edits = [j for j in with_mask if j.verdict is Verdict.EDITED and j.changed_px]
    edits = sorted(edits, key=lambda j: -(j.changed_px or 0))[:WORST]
    sections = (("The worst misses", misses), ("The largest edits", edits))
    return [Gallery(title, [_item(j, pixels) for j in group]) for title, group in sections if group]


def _item(j: Judged, pixels: Pixels) -> Item:
    task = j.decision.correction.annotation.task
    detail = f"task {task.task_id}, {j.verdict.value}, IoU of the first {first(j.ious):.2f}"
    try:
        return Item(_picture(j, pixels(j)), "", task.expression, detail)
    except BackendError as error:
        return Item("", str(error), task.expression, detail)


def _picture(j: Judged, image: NDArray[np.uint8]) -> str:
    final = j.decision.correction.annotation.mask
    offers = [offer.suggestion.mask for offer in j.decision.offers]
    shown = [mask for mask in offers if mask.size == image.shape[:2]]
    fits = [final] if final is not None and final.size == image.shape[:2] else []
    factor = PANE_PX / image.shape[1]
    left, right = overlay(image, shown, factor=factor), overlay(image, fits, [FINAL], factor=factor)
    both = Pillow.new("RGB", (left.width + right.width + 4, left.height), "white")
    both.paste(left, (0, 0))
    both.paste(right, (left.width + 4, 0))
    file = io.BytesIO()
    both.save(file, "JPEG", quality=82)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode("ascii")

"""The findings as one HTML page with pictures, without scripts and without other files."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image as Pillow

from ris.core.rle import RLE
from ris.core.types import Image, Task
from ris.errors import BackendError
from ris.evaluation.decisions.cells import Link, ReportTable
from ris.evaluation.decisions.galleries import PANE_PX, Gallery, GalleryPicture, to_data_uri
from ris.evaluation.decisions.html_report import make_environment
from ris.evaluation.drawing import draw_masks
from ris.quality.findings import FindingKind, TaskFinding
from ris.quality.mask_checks import MaskLoader
from ris.store.checked import CheckedTask

PICTURES_PER_KIND = 6
_MAX_ROWS = 500  # of one kind
_MAX_MASKS = 6  # in one picture
_TEMPLATES = Path(__file__).parent / "templates"


def draw_finding(finding: TaskFinding, load_masks: MaskLoader, load_image: Callable[[Task], Image]) -> str:
    """Draw the images of a finding with the masks of its tasks, and return the picture's data: URI.

    Tasks of one image are drawn on it together.

    Raises:
        BackendError: an image cannot be fetched or read.
    """
    panes: dict[tuple[str, str], list[CheckedTask]] = {}
    for task in finding.tasks:
        is_pair_of_images = finding.kind in (FindingKind.DUPLICATE_IMAGE, FindingKind.LEAKED_IMAGE)
        panes.setdefault((task.name, task.task.image_url) if is_pair_of_images else task.image, []).append(
            task
        )
    drawn = [_draw_pane(tasks, load_masks, load_image) for tasks in panes.values()]
    whole = Pillow.new(
        "RGB", (sum(one.width + 4 for one in drawn) - 4, max(one.height for one in drawn)), "white"
    )
    left = 0
    for one in drawn:
        whole.paste(one, (left, 0))
        left += one.width + 4
    file = io.BytesIO()
    whole.save(file, "JPEG", quality=82)
    return to_data_uri(file.getvalue())


def _draw_pane(
    tasks: Sequence[CheckedTask], load_masks: MaskLoader, load_image: Callable[[Task], Image]
) -> Pillow.Image:
    image = load_image(tasks[0].task)
    handles = [answer.handle for task in tasks for answer in task.answers if answer.has_mask][:_MAX_MASKS]
    masks: list[RLE] = [
        mask for mask in load_masks(handles) if mask.size == image.pixels.shape[:2] and mask.area_px
    ]
    return draw_masks(image.pixels, masks, factor=PANE_PX / max(image.pixels.shape[:2]))


def render_check_page(
    findings: Sequence[TaskFinding],
    *,
    title: str,
    subtitle: str,
    show_picture: Callable[[TaskFinding], str] | None,
    link_task: Callable[[Task], str],
    footer: str = "",
) -> str:
    """Render the page.

    Args:
        findings: in the order to show them.
        title: at its top.
        subtitle: a line below.
        show_picture: returns the address of the picture of a finding, or raises a BackendError; None shows no
            pictures.
        link_task: returns the address of a task in Label Studio; "" if that is unknown.
        footer: sentence at its end.
    """
    by_kind: dict[FindingKind, list[TaskFinding]] = {}
    for one in findings:
        by_kind.setdefault(one.kind, []).append(one)
    counts = ReportTable(
        "Findings", ("kind", "severity", "findings"),
        [(kind.value, kind.severity.value, str(len(found))) for kind, found in by_kind.items()],
    )  # fmt: skip
    galleries = [
        Gallery(
            kind.value, [_make_picture(one, show_picture, link_task) for one in found[:PICTURES_PER_KIND]]
        )
        for kind, found in by_kind.items()
        if show_picture is not None and any(one.tasks for one in found)
    ]
    tables = [_make_table(kind, found, link_task) for kind, found in by_kind.items()]
    page = make_environment(_TEMPLATES).get_template("check.html")
    return page.render(
        title=title, subtitle=subtitle, counts=counts, galleries=galleries, tables=tables, footer=footer
    )


def _make_picture(
    finding: TaskFinding, show_picture: Callable[[TaskFinding], str] | None, link_task: Callable[[Task], str]
) -> GalleryPicture:
    picture, missing = "", ""
    if finding.tasks and show_picture is not None:
        try:
            picture = show_picture(finding)
        except BackendError as error:
            missing = str(error)
    words = " | ".join(dict.fromkeys(one.task.expression for one in finding.tasks))
    address = link_task(finding.tasks[0].task) if finding.tasks else ""
    return GalleryPicture(picture, missing, words, f"{finding.place}: {finding.sentence}", address)


def _make_table(
    kind: FindingKind, found: Sequence[TaskFinding], link_task: Callable[[Task], str]
) -> ReportTable:
    rows = []
    for one in found[:_MAX_ROWS]:
        address = link_task(one.tasks[0].task) if one.tasks else ""
        place = Link(one.place, address) if address else one.place
        evidence = ", ".join(f"{name} {value}" for name, value in one.evidence.items())
        rows.append((place, one.tasks[0].task.expression if one.tasks else "", one.sentence, evidence))
    note = f"The first {_MAX_ROWS} of {len(found)}." if len(found) > _MAX_ROWS else ""
    return ReportTable(
        f"{kind.value}: {len(found)}", ("task", "expression", "what was found", "evidence"), rows, note
    )

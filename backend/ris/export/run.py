"""One export from decisions to files: chosen, written, and told about in `export_report.json`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ris.core.decision import Decision
from ris.core.types import Verdict
from ris.errors import BackendError, DatasetError
from ris.export.dataset import AnswerRule, Omission, UnseenReasons, find_image_problem, make_dataset_samples
from ris.export.formats import EXPORT_FORMATS, FormatResult, Material
from ris.export.imagefile import ImageFile, find_image_files, read_image_file
from ris.export.phrases import ExpressionParser
from ris.export.pictures import ImageBytesSource, to_named_format
from ris.export.text import to_json
from ris.labelstudio.config.control import Controls

REPORT_FILE = "export_report.json"


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What is exported and how; kept in the report, so that `ris validate` can do it again.

    Attributes:
        project: one project's key; None for all.
        verdicts: their words; all when empty.
        resolve, shares, seed: as in `dataset.make_dataset_samples`.
    """

    formats: Sequence[str]
    project: str | None = None
    verdicts: Sequence[str] = field(default_factory=list)
    resolve: AnswerRule = "latest"
    shares: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0


def make_material(
    decisions: Sequence[Decision],
    choice: ExportOptions,
    *,
    fetch: ImageBytesSource,
    parse: ExpressionParser,
    controls: Mapping[str, Controls],
    default_controls: Controls,
    unseen: UnseenReasons | None = None,
) -> Material:
    """What a choice makes of the decisions.

    Args:
        parse: reads the grammar of an expression; each distinct one is parsed once.
        unseen: by project and reference, why an image could not be seen.
    """
    verdicts = [Verdict(word) for word in choice.verdicts] or list(Verdict)
    chosen = [d for d in decisions if d.correction.verdict in verdicts]
    not_chosen = [
        Omission(d, f"its verdict is {d.correction.verdict.value}")
        for d in decisions
        if d.correction.verdict not in verdicts
    ]
    files = find_image_files(decisions)
    kept, unusable = make_dataset_samples(
        decisions, resolve=choice.resolve, verdicts=verdicts if choice.verdicts else (),
        shares=choice.shares, seed=choice.seed, files=files, unseen=unseen,
    )  # fmt: skip
    return Material(
        chosen, not_chosen, kept, unusable, files, unseen or {}, fetch, cache(parse), controls,
        default_controls,
    )  # fmt: skip


def find_written_files(material: Material, choice: ExportOptions) -> list[ImageFile]:
    """The images that the chosen formats name, each once."""
    named = [sample.file for sample in material.samples]
    if any(name.startswith("coco") for name in choice.formats):
        known = [d for d in material.records if not find_image_problem(d, {})]
        named += [material.files[d.image_digest] for d in known if d.image_digest]
    return list({file.digest: file for file in named}.values())


def write_export(
    material: Material,
    choice: ExportOptions,
    out: Path,
    *,
    not_understood: int = 0,
    on_start: Callable[[str], None] = lambda name: None,
) -> dict[str, FormatResult]:
    """Write every format and the report.

    Args:
        not_understood: answers that are no decisions for that reason; the report says how many.
        on_start: told the name of each format before it is written.

    Raises:
        DatasetError: the folder cannot be written.
    """
    written: dict[str, FormatResult] = {}
    try:
        for name in choice.formats:
            on_start(name)
            written[name] = EXPORT_FORMATS[name].write(material, out / EXPORT_FORMATS[name].folder)
        count = len(material.records) + len(material.not_chosen)
        out.mkdir(parents=True, exist_ok=True)
        (out / REPORT_FILE).write_text(_make_report(written, choice, count, not_understood), encoding="utf-8")
    except OSError as error:
        raise DatasetError(f"{out} cannot be written: {error}") from error
    return written


def _make_report(
    written: Mapping[str, FormatResult], choice: ExportOptions, count: int, not_understood: int
) -> str:
    formats = {
        name: {
            "written": count - len(done.omissions),
            "loss": done.loss,
            "left_out": _list_omissions(done.omissions),
        }
        for name, done in written.items()
    }
    report = {
        "decisions": count, "not_understood": not_understood, "choice": asdict(choice), "formats": formats,
    }  # fmt: skip
    return to_json(report, indent=1) + "\n"


def _list_omissions(omissions: Sequence[Omission]) -> list[dict[str, Any]]:
    return [
        {
            "project": a.task.project,
            "task_id": a.task.task_id,
            "annotation_id": a.annotation_id,
            "reason": one.reason,
        }
        for one in omissions
        for a in [one.decision.correction.annotation]
    ]


def write_images(files: Sequence[ImageFile], folder: Path, fetch: ImageBytesSource) -> list[str]:
    """Every image once, upright, in the format of its name; a sentence for each that is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = []
    for file in files:
        try:
            (folder / file.name).write_bytes(to_named_format(read_image_file(file, fetch), file.name))
        except BackendError as error:
            missing.append(str(error))
    return missing

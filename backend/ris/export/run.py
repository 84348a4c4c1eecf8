"""Run an export: select decisions, write the formats, and write `export_report.json`."""

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
    """The options of an export; the report has them, so that `ris validate` can repeat the selection.

    Attributes:
        formats: names of formats, keys of `EXPORT_FORMATS`.
        project: key of one project; None for all.
        verdicts: values of `Verdict`; empty for all.
        resolve: as in `dataset.make_dataset_samples`.
        shares: as in `dataset.make_dataset_samples`.
        seed: as in `dataset.make_dataset_samples`.
    """

    formats: Sequence[str]
    project: str | None = None
    verdicts: Sequence[str] = field(default_factory=list)
    resolve: AnswerRule = "latest"
    shares: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0


def make_material(
    decisions: Sequence[Decision],
    options: ExportOptions,
    *,
    fetch: ImageBytesSource,
    parse: ExpressionParser,
    controls: Mapping[str, Controls],
    default_controls: Controls,
    unseen: UnseenReasons | None = None,
) -> Material:
    """Select the decisions of an export.

    Args:
        decisions: the current decisions.
        options: the options of the export.
        fetch: returns the bytes of a task's image file, or raises an ImageError.
        parse: parses the grammar of an expression; called once for each distinct expression.
        controls: by project, how its label config writes masks.
        default_controls: the same for projects whose label config is unknown.
        unseen: why images could not be fetched.
    """
    verdicts = [Verdict(word) for word in options.verdicts] or list(Verdict)
    chosen = [d for d in decisions if d.correction.verdict in verdicts]
    not_chosen = [
        Omission(d, f"its verdict is {d.correction.verdict.value}")
        for d in decisions
        if d.correction.verdict not in verdicts
    ]
    files = find_image_files(decisions)
    samples, unusable = make_dataset_samples(
        decisions, resolve=options.resolve, verdicts=verdicts if options.verdicts else (),
        shares=options.shares, seed=options.seed, files=files, unseen=unseen,
    )  # fmt: skip
    return Material(
        chosen, not_chosen, samples, unusable, files, unseen or {}, fetch, cache(parse), controls,
        default_controls,
    )  # fmt: skip


def find_written_files(material: Material, options: ExportOptions) -> list[ImageFile]:
    """Return the image files that the chosen formats refer to, each once."""
    files = [sample.file for sample in material.samples]
    if any(name.startswith("coco") for name in options.formats):
        known = [d for d in material.records if not find_image_problem(d, {})]
        files += [material.files[d.image_digest] for d in known if d.image_digest]
    return list({file.digest: file for file in files}.values())


def write_export(
    material: Material,
    options: ExportOptions,
    out: Path,
    *,
    not_understood: int = 0,
    on_start: Callable[[str], None] = lambda name: None,
) -> dict[str, FormatResult]:
    """Write the chosen formats and the report.

    Args:
        material: the input of the export.
        options: the options of the export.
        out: the folder; created if missing.
        not_understood: number of answers that could not be read as decisions, for the report.
        on_start: is called with the name of each format before it is written.

    Returns:
        The results by format.

    Raises:
        DatasetError: the folder cannot be written.
    """
    results: dict[str, FormatResult] = {}
    try:
        for name in options.formats:
            on_start(name)
            results[name] = EXPORT_FORMATS[name].write(material, out / EXPORT_FORMATS[name].folder)
        count = len(material.records) + len(material.not_chosen)
        out.mkdir(parents=True, exist_ok=True)
        (out / REPORT_FILE).write_text(
            _make_report(results, options, count, not_understood), encoding="utf-8"
        )
    except OSError as error:
        raise DatasetError(f"{out} cannot be written: {error}") from error
    return results


def _make_report(
    results: Mapping[str, FormatResult], options: ExportOptions, count: int, not_understood: int
) -> str:
    formats = {
        name: {
            "written": count - len(result.omissions),
            "loss": result.loss,
            "left_out": _list_omissions(result.omissions),
        }
        for name, result in results.items()
    }
    report = {
        "decisions": count, "not_understood": not_understood, "choice": asdict(options), "formats": formats,
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
    """Write image files, with the EXIF orientation applied and in the format of their names.

    Args:
        files: the images.
        folder: the folder; created if missing.
        fetch: returns the bytes of a task's image file, or raises an ImageError.

    Returns:
        One sentence for each image that could not be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = []
    for file in files:
        try:
            (folder / file.name).write_bytes(to_named_format(read_image_file(file, fetch), file.name))
        except BackendError as error:
            missing.append(str(error))
    return missing

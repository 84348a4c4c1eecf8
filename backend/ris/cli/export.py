"""`ris export` and `ris validate`: write the decisions as files, and read them back."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ris import assembly, config
from ris.cli.console import console, make_bar, make_table
from ris.cli.options import DatabaseUrlOption, ProjectKeyOption
from ris.config import Settings
from ris.core.extras import is_installed
from ris.core.types import Image, Task, Verdict
from ris.errors import BackendError, DatasetError, InputError
from ris.export.formats import EXPORT_FORMATS
from ris.export.material import Material, make_material
from ris.export.missing_images import MissingImages
from ris.export.run import REPORT_FILE, find_written_files, write_export, write_images
from ris.export.selection import ExportOptions
from ris.export.validate import read_export_options, validate_export
from ris.label_config import read as read_config
from ris.labelstudio.config.control import Controls, read_controls
from ris.store.export_pages import AnswerPages
from ris.store.failures import count_failures
from ris.store.label_configs import find_current_label_configs
from ris.store.records import add_task_image
from ris.store.session import Database

FormatName = StrEnum("Format", {name.upper().replace("-", "_"): name for name in EXPORT_FORMATS})  # type: ignore[misc]
_MAX_SHOWN_PROBLEMS = 10  # problems of one format; the rest is counted


class AnswerRuleName(StrEnum):
    """The annotation that counts if a task has several."""

    LATEST = "latest"
    MAJORITY = "majority"
    CONSENSUS = "consensus"
    CONSENSUS_STAPLE = "consensus-staple"
    ADJUDICATED = "adjudicated"
    ALL = "all"


def export(
    out: Annotated[Path, typer.Option(help="folder for the files")] = Path("export"),
    format: Annotated[list[FormatName] | None, typer.Option(help="repeat for several; default: all")] = None,
    project: ProjectKeyOption = None,
    verdict: Annotated[
        list[str] | None,
        typer.Option(help="only decisions of this verdict, e.g. accepted; repeat for several"),
    ] = None,
    resolve: Annotated[
        AnswerRuleName, typer.Option(help="the annotation that counts if a task has several")
    ] = AnswerRuleName.LATEST,
    split: Annotated[str, typer.Option(help="fractions of the images, e.g. val=0.1,test=0.1")] = "",
    seed: Annotated[int, typer.Option(help="seed of the split")] = 0,
    images: Annotated[bool, typer.Option(help="also write the images, into images/")] = False,
    database_url: DatabaseUrlOption = None,
) -> None:
    """Write the current decisions as files in one or more formats.

    `export_report.json` lists the decisions that were left out, with the reasons.

    Example: `ris export --format refcoco --split val=0.1,test=0.1 --out corrected`
    """
    choice = ExportOptions(
        formats=[one.value for one in format] if format else _list_available_formats(),
        project=project,
        verdicts=_check_verdicts(verdict),
        resolve=resolve.value,
        shares=_parse_shares(split),
        seed=seed,
    )
    settings = config.read_settings(database_url=database_url)
    with _open_material(settings, choice) as (material, not_understood):
        _write(material, choice, out, not_understood=not_understood, has_images=images)


def _write(
    material: Material, choice: ExportOptions, out: Path, *, not_understood: int, has_images: bool
) -> None:
    with make_bar(console) as bar:
        parts = {name: bar.add_task(f"writing {name}", total=None) for name in choice.formats}
        written = write_export(
            material, choice, out, not_understood=not_understood,
            on_progress=lambda name, done, total: bar.update(parts[name], completed=done, total=total),
        )  # fmt: skip
    table = make_table(
        "format",
        "written",
        "left out",
        "path",
        "loss",
        title=f"{material.n_decisions} decisions",
        name="formats",
    )
    for name, done in written.items():
        left_out = len(done.omissions)
        where = out / EXPORT_FORMATS[name].folder
        table.add_row(name, material.n_decisions - left_out, left_out, str(where), done.loss or "none")
    console.print(table)
    console.print(f"{out / REPORT_FILE} gives the reason for each decision that was left out")
    if not_understood:
        console.print(
            f"left out because their event failed: {not_understood}; `ris events --failed` gives the reasons"
        )
    if has_images:
        _write_images(material, choice, out / "images")
    count = material.n_decisions
    if count and all(len(done.omissions) >= count for done in written.values()):
        raise DatasetError(f"none of {count} decisions was written; {out / REPORT_FILE} gives the reasons")


def _write_images(material: Material, choice: ExportOptions, folder: Path) -> None:
    n_images, n_missing = sum(1 for _ in find_written_files(material, choice)), 0
    files = find_written_files(material, choice)
    with make_bar(console) as bar:
        part = bar.add_task("images", total=n_images)
        for sentence in write_images(files, material.images, folder, material.fetch):
            bar.advance(part)
            n_missing += bool(sentence)
            if sentence and n_missing <= _MAX_SHOWN_PROBLEMS:
                console.print(sentence, markup=False)
    if n_missing > _MAX_SHOWN_PROBLEMS:
        console.print(f"and {n_missing - _MAX_SHOWN_PROBLEMS} more")
    console.print(f"{n_images - n_missing} of {n_images} images in {folder}")


def validate(
    folder: Annotated[Path, typer.Argument(help="folder that `ris export` wrote")],
    database_url: DatabaseUrlOption = None,
) -> None:
    """Read an export back and compare it with the database.

    The files are read with the public readers of each format. Masks are compared pixel by pixel.

    Example: `ris validate corrected`
    """
    choice, exported = read_export_options(folder)
    settings = config.read_settings(database_url=database_url)
    with _open_material(settings, choice) as (material, _), make_bar(console) as bar:
        parts = {name: bar.add_task(f"comparing {name}", total=None) for name in choice.formats}
        found = validate_export(
            folder, choice, material,
            on_progress=lambda name, done, total: bar.update(parts[name], completed=done, total=total),
        )  # fmt: skip
    count = material.n_decisions
    table = make_table("format", "compared with the database", name="formats", keys=("format", "result"))
    for name, problems in found.items():
        shown = [
            *problems[:_MAX_SHOWN_PROBLEMS],
            *(
                [f"and {len(problems) - _MAX_SHOWN_PROBLEMS} more"]
                if len(problems) > _MAX_SHOWN_PROBLEMS
                else []
            ),
        ]
        table.add_row(name, "\n".join(shown) or "equal")
    console.print(table, markup=False)
    if count != exported:
        console.print(
            f"{exported} decisions at the time of the export, {count} now: export again to compare all"
        )
    if any(found.values()):
        raise DatasetError(f"{folder} differs from the database; the table above lists the differences")


def _list_available_formats() -> list[str]:
    """List all formats but one whose extra is not installed; print which that is."""
    names = [one.value for one in FormatName]
    if not is_installed("pyarrow"):
        names.remove("huggingface")
        console.print(
            "left out: the format huggingface needs pyarrow: pip install "
            "'referring-segmentation-backend[parquet]'", markup=False,
        )  # fmt: skip
    return names


@contextmanager
def _open_material(settings: Settings, choice: ExportOptions) -> Iterator[tuple[Material, int]]:
    """Open the material of an export, and the number of answers that are not understood."""
    database = Database.open(settings.database_url)
    homes = (settings.label_studio_url, settings.label_studio_public_url or "")
    source = AnswerPages(database, project=choice.project, homes=homes)
    try:
        with database.begin() as session:
            configs = find_current_label_configs(session)
            not_understood = count_failures(session, project=choice.project)
        with console.status("reading the record"):
            missing = MissingImages(source.list_answers())
        _fetch_images(database, settings, missing)
        with console.status("choosing the answers"):
            material = make_material(
                source, choice, fetch=assembly.make_image_bytes_source(settings),
                parse=assembly.make_expression_parser(),
                controls=_read_project_controls(configs),
                default_controls=read_controls(read_config("tabs_brush.xml")),
                missing=missing,
            )  # fmt: skip
        yield material, not_understood
    finally:
        database.close()


def _fetch_images(database: Database, settings: Settings, missing: MissingImages) -> None:
    """Fetch the images that were never fetched, and add them to the database."""

    def save_image(task: Task, image: Image) -> None:
        with database.begin() as session:
            add_task_image(session, task, image.digest, image.size, now=assembly.get_utc_now())

    with console.status("fetching images") as status:
        missing.fetch(
            assembly.make_image_source(settings), save_image,
            on_start=lambda done, total: status.update(f"fetching images: {done} of {total}"),
        )  # fmt: skip


def _read_project_controls(configs: dict[str, str]) -> dict[str, Controls]:
    """Read the label configs by project; those that cannot be read are left out."""
    found = {}
    for key, text in configs.items():
        try:
            found[key] = read_controls(text)
        except BackendError:
            continue  # it has no masks any more; the annotations are written as pixel masks
    return found


def _check_verdicts(names: Sequence[str] | None) -> list[str]:
    known = [v.value for v in Verdict]
    for name in names or ():
        if name not in known:
            raise InputError(f"there is no verdict {name!r}; it can be {', '.join(known)}")
    return list(names or ())


def _parse_shares(text: str) -> dict[str, float]:
    """Parse fractions by split, e.g. "val=0.1,test=0.1".

    Raises:
        InputError: it is not of that form.
    """
    shares = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        name, _, share = part.partition("=")
        try:
            shares[name.strip()] = float(share)
        except ValueError as error:
            raise InputError(f"--split needs shares such as val=0.1,test=0.1, got {part!r}") from error
    return shares

"""`ris export` and `ris validate`: the corrected data leaves, and is read back."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ris import assembly, config
from ris.cli.console import console
from ris.config import Settings
from ris.core.decision import Decision
from ris.core.types import Image, Task, Verdict
from ris.errors import BackendError, DatasetError, InputError
from ris.export.formats import FORMATS, Material
from ris.export.run import REPORT, Choice, find_written_files, material_of, write, write_pictures
from ris.export.seeing import see_images
from ris.label_config import read as read_config
from ris.labelstudio.config.control import Controls, read_controls
from ris.store.failures import count_failures
from ris.store.history import decisions, label_configs
from ris.store.records import keep_picture
from ris.store.session import Database

Format = StrEnum("Format", {name.upper().replace("-", "_"): name for name in FORMATS})  # type: ignore[misc]
SHOWN = 10  # problems of one format; the rest is counted


class Resolve(StrEnum):
    """Which of several annotators' answers counts."""

    LATEST = "latest"
    MAJORITY = "majority"
    ALL = "all"


def export(
    out: Annotated[Path, typer.Option(help="folder to write into")] = Path("export"),
    format: Annotated[list[Format] | None, typer.Option(help="again for several; all without")] = None,
    project: Annotated[
        str | None, typer.Option(help='one project\'s key, "ID.CREATED", e.g. 3.1700000000; all without')
    ] = None,
    verdict: Annotated[
        list[str] | None, typer.Option(help="only these, e.g. accepted; again for several")
    ] = None,
    resolve: Annotated[
        Resolve, typer.Option(help="which of several annotators' answers to a task counts")
    ] = Resolve.LATEST,
    split: Annotated[str, typer.Option(help="shares of the images, e.g. val=0.1,test=0.1")] = "",
    seed: Annotated[int, typer.Option(help="of the split")] = 0,
    images: Annotated[bool, typer.Option(help="write the images beside the data, into images/")] = False,
    database_url: Annotated[str | None, typer.Option(help="RIS_DATABASE_URL")] = None,
) -> None:
    """Write the current decisions as files, and a report of what was left out and why.

    Example: `ris export --format refcoco --split val=0.1,test=0.1 --out corrected`
    """
    choice = Choice(
        formats=[one.value for one in format or list(Format)],
        project=project,
        verdicts=_verdicts(verdict),
        resolve=resolve.value,
        shares=_shares(split),
        seed=seed,
    )
    settings = config.from_env(database_url=database_url)
    material, count, not_understood = _material(settings, choice)
    with console.status("writing") as status:
        written = write(
            material, choice, out, not_understood=not_understood,
            began=lambda name: status.update(f"writing {name}"),
        )  # fmt: skip
    table = Table("format", "written", "left out", "where", "lost", title=f"{count} decisions")
    for name, done in written.items():
        left_out = len(done.left_out)
        where = out / FORMATS[name].folder
        table.add_row(name, str(count - left_out), str(left_out), str(where), done.loss or "nothing")
    console.print(table)
    console.print(f"{out / REPORT} says why each was left out")
    if not_understood:
        console.print(f"not understood, and left out: {not_understood}; `ris events --failed` says why")
    if images:
        with console.status("images"):
            files = find_written_files(material, choice)
            missing = write_pictures(files, out / "images", material.fetch)
        for sentence in missing[:SHOWN]:
            console.print(sentence, markup=False)
        if len(missing) > SHOWN:
            console.print(f"and {len(missing) - SHOWN} more")
        console.print(f"{len(files) - len(missing)} of {len(files)} images in {out / 'images'}")


def validate(
    folder: Annotated[Path, typer.Argument(help="what `ris export` wrote")],
    database_url: Annotated[str | None, typer.Option(help="RIS_DATABASE_URL")] = None,
) -> None:
    """Read an export back with the field's own readers, and compare it with the record, pixel by pixel.

    Example: `ris validate corrected`
    """
    from ris.export.validate import choice_of, validate  # here: pyarrow and pycocotools take their time

    choice, exported = choice_of(folder)
    material, count, _ = _material(config.from_env(database_url=database_url), choice)
    found = validate(folder, choice, material)
    table = Table("format", "compared with the record")
    for name, problems in found.items():
        shown = [*problems[:SHOWN], *([f"and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else [])]
        table.add_row(name, "\n".join(shown) or "the same")
    console.print(table, markup=False)
    if count != exported:
        console.print(f"{exported} decisions when it was exported, {count} now: export again to compare all")
    if any(found.values()):
        raise DatasetError(f"{folder} differs from the record")


def _material(settings: Settings, choice: Choice) -> tuple[Material, int, int]:
    """What is exported; how many decisions there are, and how many answers that are not understood."""
    database = Database.open(settings.database_url)
    homes = (settings.label_studio_url, settings.label_studio_public_url)
    try:
        with database.begin() as session:
            found: Sequence[Decision] = list(decisions(session, project=choice.project, homes=homes))
            configs = label_configs(session)
            not_understood = count_failures(session, project=choice.project)
        found, unseen = _seen(database, settings, found)
    finally:
        database.close()
    material = material_of(
        found, choice, fetch=assembly.image_bytes(settings), parse=assembly.phrase_parser(),
        controls=_controls(configs), default_controls=read_controls(read_config("tabs_brush.xml")),
        unseen=unseen,
    )  # fmt: skip
    return material, len(found), not_understood


def _seen(
    database: Database, settings: Settings, found: Sequence[Decision]
) -> tuple[Sequence[Decision], dict[tuple[str, str], str]]:
    """The decisions with the images that nobody has seen yet; these are on record from now on."""

    def keep(task: Task, image: Image) -> None:
        with database.begin() as session:
            keep_picture(session, task, image.digest, image.size, now=assembly.utc_now())

    with console.status("images that were never seen") as status:
        return see_images(
            found, assembly.image_source(settings), keep,
            began=lambda done, total: status.update(f"images that were never seen: {done} of {total}"),
        )  # fmt: skip


def _controls(configs: dict[str, str]) -> dict[str, Controls]:
    """Of those projects whose label config can still be read."""
    found = {}
    for key, text in configs.items():
        try:
            found[key] = read_controls(text)
        except BackendError:
            continue  # changed to something that has no masks; its answers are written as masks of pixels
    return found


def _verdicts(names: Sequence[str] | None) -> list[str]:
    known = [v.value for v in Verdict]
    for name in names or ():
        if name not in known:
            raise InputError(f"there is no verdict {name!r}; it can be {', '.join(known)}")
    return list(names or ())


def _shares(text: str) -> dict[str, float]:
    """ "val=0.1,test=0.1" as shares by split.

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

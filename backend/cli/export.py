"""`ris export`: the corrected data leaves."""

import json
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from backend import config
from backend.cli.console import console
from backend.core.decision import Decision
from backend.core.types import Verdict
from backend.errors import InputError
from backend.export.coco import write_coco
from backend.export.dataset import LeftOut, Sample, samples
from backend.export.jsonl import write_jsonl
from backend.export.pairs import write_pairs
from backend.export.refcoco import write_grefcoco, write_refcoco
from backend.export.yolo import write_yolo
from backend.store.history import decisions
from backend.store.session import Database


class Format(StrEnum):
    """What can be written."""

    COCO = "coco"
    JSONL = "jsonl"
    REFCOCO = "refcoco"
    GREFCOCO = "grefcoco"
    PAIRS = "pairs"
    YOLO = "yolo"


class Resolve(StrEnum):
    """Which of several annotators' answers counts."""

    LATEST = "latest"
    MAJORITY = "majority"
    ALL = "all"


# Records: every decision, the skipped ones and several of one task included.
RECORDS: dict[Format, tuple[Callable[[Sequence[Decision], Path], None], str]] = {
    Format.COCO: (write_coco, "coco.json"),
    Format.JSONL: (write_jsonl, "decisions.jsonl"),
}
# Datasets: one answer a task, split by image.
DATASETS: dict[Format, tuple[Callable[[Sequence[Sample], Path], list[LeftOut]], str]] = {
    Format.REFCOCO: (write_refcoco, "refcoco"),
    Format.GREFCOCO: (write_grefcoco, "grefcoco"),
    Format.PAIRS: (write_pairs, "."),
    Format.YOLO: (write_yolo, "yolo"),
}


def export(
    out: Annotated[Path, typer.Option(help="folder to write into")] = Path("export"),
    format: Annotated[list[Format] | None, typer.Option(help="again for several; all without")] = None,
    project: Annotated[
        str | None, typer.Option(help='one project\'s key, "<id>.<created>"; all without')
    ] = None,
    verdict: Annotated[
        list[str] | None, typer.Option(help="only these, e.g. accepted; again for several")
    ] = None,
    resolve: Annotated[
        Resolve, typer.Option(help="which of several annotators' answers to a task counts")
    ] = Resolve.LATEST,
    split: Annotated[str, typer.Option(help="shares of the images, e.g. val=0.1,test=0.1")] = "",
    seed: Annotated[int, typer.Option(help="of the split")] = 0,
    database_url: Annotated[str | None, typer.Option(help="RIS_DATABASE_URL")] = None,
) -> None:
    """Write the current decisions as files, and a report of what was left out and why.

    Example: `ris export --format refcoco --split val=0.1,test=0.1 --out corrected`
    """
    database = Database.open(config.from_env(database_url=database_url).database_url)
    try:
        with database.begin() as session:
            found = list(decisions(session, project=project))
    finally:
        database.close()
    wanted = _verdicts(verdict)
    kept, unusable = samples(found, resolve=resolve.value, verdicts=wanted, shares=_shares(split), seed=seed)
    table = Table("format", "written", "left out", "where", title=f"{len(found)} decisions")
    formats: dict[str, dict[str, object]] = {}
    for chosen in format or list(Format):
        left_out: list[LeftOut] = []
        if chosen in RECORDS:
            write_record, name = RECORDS[chosen]
            recorded = [d for d in found if not wanted or d.correction.verdict in wanted]
            write_record(recorded, out / name)
            left_out = [
                LeftOut(d, f"its verdict is {d.correction.verdict.value}") for d in found if d not in recorded
            ]
        else:
            write_dataset, name = DATASETS[chosen]
            left_out = [*unusable, *write_dataset(kept, out / name)]
        written = len(found) - len(left_out)
        formats[chosen.value] = {"written": written, "left_out": _listed(left_out)}
        table.add_row(chosen.value, str(written), str(len(left_out)), str(out / name))
    out.mkdir(parents=True, exist_ok=True)
    report = {"decisions": len(found), "formats": formats}
    path = out / "export_report.json"
    path.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    console.print(table)
    console.print(f"{path} says why each was left out")


def _listed(left_out: Sequence[LeftOut]) -> list[dict[str, object]]:
    return [
        {
            "project": a.task.project,
            "task_id": a.task.task_id,
            "annotation_id": a.annotation_id,
            "reason": one.reason,
        }
        for one in left_out
        for a in [one.decision.correction.annotation]
    ]


def _verdicts(names: Sequence[str] | None) -> list[Verdict]:
    known = {v.value: v for v in Verdict}
    for name in names or ():
        if name not in known:
            raise InputError(f"there is no verdict {name!r}; it can be {', '.join(known)}")
    return [known[name] for name in names or ()]


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

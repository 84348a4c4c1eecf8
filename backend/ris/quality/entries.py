"""Make tasks to check of a published dataset or a file of tasks, before anybody labels them."""

from collections.abc import Sequence

from ris.core.rle import RLE
from ris.core.types import Task, Verdict
from ris.datasets.entry import Defect, Entry
from ris.quality.findings import FindingKind, TaskFinding
from ris.quality.mask_checks import MaskLoader
from ris.store.checked import CheckedAnswer, CheckedTask


def make_checked_tasks(entries: Sequence[Entry], name: str) -> tuple[list[CheckedTask], MaskLoader]:
    """Make a task of each entry, numbered from 1, and what finds the masks.

    Args:
        entries: of the dataset.
        name: of the dataset, in place of a project's key.
    """
    masks: dict[int, RLE] = {}
    tasks = []
    for number, entry in enumerate(entries, start=1):
        if entry.mask is not None:
            masks[number] = entry.mask
        task = Task(number, name, entry.image, entry.expression)
        answers = _make_answers(number, entry)
        tasks.append(
            CheckedTask(f"entry {number}", task, (name, entry.image), entry.size, entry.split, answers)
        )
    return tasks, lambda handles: [masks[handle] for handle in handles]


def _make_answers(number: int, entry: Entry) -> tuple[CheckedAnswer, ...]:
    if entry.mask is None and entry.has_referent:
        return ()
    verdict = Verdict.REDRAWN if entry.has_referent else Verdict.NO_REFERENT
    return (CheckedAnswer(number, None, verdict, None, entry.mask is not None),)


def to_finding(defect: Defect) -> TaskFinding:
    """Convert a part of a dataset that cannot be used to a finding."""
    return TaskFinding(FindingKind.DEFECT, f"{defect.reason} ({defect.outcome})", what=defect.what)

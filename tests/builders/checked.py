"""Tasks for the checks."""

from ris.core.types import Task, Verdict
from ris.store.checked import CheckedAnswer, CheckedTask, ShownRanking


def checked_task(number, words="the mug", *said, image="a", times=(), annotator=1, **more):
    """A task whose answers are given by their masks, None for no referent; a handle is the mask itself."""
    answers = tuple(
        CheckedAnswer(
            mask, annotator, Verdict.NO_REFERENT if mask is None else Verdict.REDRAWN,
            times[i] if i < len(times) else None, mask is not None,
        )
        for i, mask in enumerate(said)
    )  # fmt: skip
    task = Task(number, "1.1700000000", f"/{image}.png", words)
    return CheckedTask(f"task {number}", task, ("", image), answers=answers, **more)


def ranking(*scores, favourites=None, is_chance=False):
    return ShownRanking(scores, favourites or {}, is_chance)


def load_masks(handles):
    return list(handles)


def summarise(findings):
    """The kinds and the tasks of findings."""
    return [(one.kind.value, [task.task.task_id for task in one.tasks]) for one in findings]

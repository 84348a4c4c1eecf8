"""What the routes answer, without HTTP: Flask and the label-studio-ml adapter share it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ris.core.types import Task
from ris.errors import InputError, NotReady
from ris.labelstudio.context import read_context
from ris.labelstudio.region import write_all, write_fixed, write_interactive
from ris.labelstudio.task import PredictRequest, TaskFailure, read_setup, read_tasks, to_expression
from ris.service import Delivering, Recording, Refining, Suggesting, Synced
from ris.web.batch import Batch, answer_all, answer_one, answer_several

START_TRAINING = "START_TRAINING"


@dataclass(frozen=True, slots=True)
class Backend:
    """What is called.

    Attributes:
        deadline_s: how long one /predict may take in all.
        train: what "Start Training" starts; False when it is running already.
        synced: the last sync of every project, for the page at `/`.
        delivering: writes predictions into Label Studio; None where there is no key for it.
    """

    suggesting: Suggesting
    recording: Recording
    refining: Refining
    deadline_s: float
    train: Callable[[], bool]
    synced: Callable[[], Sequence[Synced]] = tuple
    delivering: Delivering | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to /predict.

    Attributes:
        results: one entry a task: a list of predictions, or for a click one prediction as a dict.
        version: the model version of all of it.
        causes: one a task: why it has no alternatives; "" for one that has, in the answer or in Label Studio.
    """

    results: list[Any]
    version: str
    causes: Sequence[str]


def setup(backend: Backend, body: object) -> str:
    """Remember the project; the version that suggestions have now.

    Raises:
        InputError, LabelConfigError: what is missing, and what to add to the label config.
        NotReady: the models could not be loaded, and never will be: Label Studio shows the sentence.
    """
    state = backend.suggesting.worker.state()
    if state not in ("loading", "ready"):
        raise NotReady(f"the models could not be loaded: {state}")
    backend.suggesting.see_project(read_setup(body))
    return backend.suggesting.version


def predict(backend: Backend, body: object, *, by_label_studio: bool = False) -> Answered:
    """One entry a task, always: a list of predictions, or [] with the reason in the log.

    Args:
        by_label_studio: it asks itself, and stores what the answer holds. Then an entry is empty too when
            its predictions were, or will be, written through the API: `service/delivering.py` says why.

    Raises:
        InputError, LabelConfigError: the body as a whole cannot be used.
    """
    asked, version = read_tasks(body), backend.suggesting.version
    if asked.context is not None:
        return Answered([_interactive(backend, asked, asked.context, version)], version, [""])
    batch = Batch.of(asked, version, partial(_kept, backend))
    if by_label_studio and backend.delivering and backend.delivering.reaches(asked.project):
        answer = answer_one if len(batch.entries) == 1 else answer_several
        answers = answer(batch, backend.suggesting, backend.delivering, backend.deadline_s)
    else:
        answers = answer_all(batch, backend.suggesting, backend.delivering, backend.deadline_s)
    return Answered([a.predictions for a in answers], version, [a.cause for a in answers])


def _kept(backend: Backend, entry: Task | TaskFailure) -> str:
    """For a task that says nothing itself: the expression that was kept from the image before it."""
    if isinstance(entry, TaskFailure) or entry.expression:
        return ""
    return backend.recording.kept_words(entry.project)


def _interactive(
    backend: Backend, asked: PredictRequest, given: Mapping[str, Any], version: str
) -> dict[str, Any]:
    """One answer for one task. Typed words go before what was pointed at."""
    (entry, *_) = asked.entries or (TaskFailure(None, "an interactive request needs a task"),)
    if isinstance(entry, TaskFailure):
        raise InputError(entry.reason)
    context = read_context(given, asked.controls, backend.recording.known_size(entry))
    controls = replace(asked.controls, label=context.label or asked.controls.label)
    if context.words:
        task = replace(entry, expression=to_expression(context.words, entry.task_id, controls.typed))
        (answer,) = backend.suggesting.suggest([task], deadline_s=backend.deadline_s, waited_for=True)
        score = answer.offers[0].suggestion.score if answer.offers else 0.0
        return write_interactive(write_all(answer.offers, controls), score=score, version=version)
    assert context.prompts is not None
    fixed = backend.refining.refine(entry, context.prompts, deadline_s=backend.deadline_s)
    if fixed is None:
        return write_interactive([], score=0.0, version=version)
    regions = write_fixed(fixed.mask, fixed.offer, controls, score=fixed.score)
    return write_interactive(regions, score=fixed.score, version=version)


def record(backend: Backend, body: object) -> bool:
    """Write a webhook down; False when the very same one is there already. It is worked on after.

    Raises:
        InputError: it is no object.
        StoreError: it could not be written; nothing of it is kept.
    """
    if not isinstance(body, dict):
        raise InputError(f"a webhook's body must be a JSON object, got {type(body).__name__}")
    new = backend.recording.record(body)
    if body.get("action") == START_TRAINING:
        backend.train()
    return new

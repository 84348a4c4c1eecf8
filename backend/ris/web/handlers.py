"""What the routes answer, without HTTP: Flask and the label-studio-ml adapter share it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ris.core.types import Task
from ris.errors import InputError, NotReady
from ris.labelstudio.context import read_context
from ris.labelstudio.region import write_alternatives, write_interactive_prediction, write_refined_mask
from ris.labelstudio.task import (
    PredictRequest,
    TaskFailure,
    read_predict_request,
    read_setup_request,
    to_expression,
)
from ris.service import DeliveryService, RecordingService, RefinementService, SuggestionService, SyncResult
from ris.web.batch import PredictBatch, answer_all, answer_one, answer_several

START_TRAINING = "START_TRAINING"


@dataclass(frozen=True, slots=True)
class Services:
    """What is called.

    Attributes:
        deadline_s: how long one /predict may take in all.
        train: what "Start Training" starts; False when it is running already.
        synced: the last sync of every project, for the page at `/`.
        delivering: writes predictions into Label Studio; None where there is no key for it.
    """

    suggesting: SuggestionService
    recording: RecordingService
    refining: RefinementService
    deadline_s: float
    train: Callable[[], bool]
    get_last_syncs: Callable[[], Sequence[SyncResult]] = tuple
    delivering: DeliveryService | None = None


@dataclass(frozen=True, slots=True)
class PredictResponse:
    """The answer to /predict.

    Attributes:
        results: one entry a task: a list of predictions, or for a click one prediction as a dict.
        version: the model version of all of it.
        causes: one a task: why it has no alternatives; "" for one that has, in the answer or in Label Studio.
    """

    results: list[Any]
    version: str
    causes: Sequence[str]


def set_up_project(backend: Services, body: object) -> str:
    """Remember the project; the version that suggestions have now.

    Raises:
        InputError, LabelConfigError: what is missing, and what to add to the label config.
        NotReady: the models could not be loaded, and never will be: Label Studio shows the sentence.
    """
    models = backend.suggesting.worker.get_state()
    if models.is_failed:
        raise NotReady(f"the models could not be loaded: {models.reason}")
    backend.suggesting.save_project(read_setup_request(body))
    return backend.suggesting.version


def predict(backend: Services, body: object, *, by_label_studio: bool = False) -> PredictResponse:
    """One entry a task, always: a list of predictions, or [] with the reason in the log.

    Args:
        by_label_studio: it asks itself, and stores what the answer holds. Then an entry is empty too when
            its predictions were, or will be, written through the API: `service/delivering.py` says why.

    Raises:
        InputError, LabelConfigError: the body as a whole cannot be used.
    """
    asked, version = read_predict_request(body), backend.suggesting.version
    if asked.context is not None:
        return PredictResponse([_predict_interactive(backend, asked, asked.context, version)], version, [""])
    batch = PredictBatch.of(asked, version, partial(_find_carried_expression, backend))
    if by_label_studio and backend.delivering and backend.delivering.can_reach(asked.project):
        answer = answer_one if len(batch.entries) == 1 else answer_several
        answers = answer(batch, backend.suggesting, backend.delivering, backend.deadline_s)
    else:
        answers = answer_all(batch, backend.suggesting, backend.delivering, backend.deadline_s)
    return PredictResponse([a.predictions for a in answers], version, [a.cause for a in answers])


def _find_carried_expression(backend: Services, entry: Task | TaskFailure) -> str:
    """For a task that says nothing itself: the expression that was kept from the image before it."""
    if isinstance(entry, TaskFailure) or entry.expression:
        return ""
    return backend.recording.kept_words(entry.project)


def _predict_interactive(
    backend: Services, asked: PredictRequest, given: Mapping[str, Any], version: str
) -> dict[str, Any]:
    """One answer for one task. Typed words go before what was pointed at."""
    (entry, *_) = asked.entries or (TaskFailure(None, "an interactive request needs a task"),)
    if isinstance(entry, TaskFailure):
        raise InputError(entry.reason)
    context = read_context(given, asked.controls, backend.recording.find_image_size(entry))
    controls = replace(asked.controls, label=context.label or asked.controls.label)
    if context.expression:
        task = replace(
            entry, expression=to_expression(context.expression, entry.task_id, controls.expression_area)
        )
        (answer,) = backend.suggesting.suggest([task], deadline_s=backend.deadline_s, waited_for=True)
        score = answer.offers[0].suggestion.score if answer.offers else 0.0
        return write_interactive_prediction(
            write_alternatives(answer.offers, controls), score=score, version=version
        )
    assert context.prompts is not None
    fixed = backend.refining.refine(entry, context.prompts, deadline_s=backend.deadline_s)
    if fixed is None:
        return write_interactive_prediction([], score=0.0, version=version)
    regions = write_refined_mask(fixed.mask, fixed.alternative, controls, score=fixed.score)
    return write_interactive_prediction(regions, score=fixed.score, version=version)


def record_event(backend: Services, body: object) -> bool:
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

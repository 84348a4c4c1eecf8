"""The handlers of the routes, without HTTP: Flask and the label-studio-ml adapter share them."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from ris.core.proposals import Prompts
from ris.core.types import Task
from ris.errors import BackendError, InputError, NotReady
from ris.labelstudio.config.control import Controls
from ris.labelstudio.context import read_context
from ris.labelstudio.notice import Notice, can_show_notices, clear_notices, write_notice
from ris.labelstudio.region import write_alternatives, write_interactive_prediction, write_refined_mask
from ris.labelstudio.task import (
    PredictRequest,
    TaskFailure,
    read_predict_request,
    read_setup_request,
    to_expression,
)
from ris.referring.grounding.usage import VlmUsage
from ris.service import DeliveryService, RecordingService, RefinementService, SuggestionService, SyncResult
from ris.web.batch import PredictBatch, answer_all, answer_one, answer_several

log = logging.getLogger(__name__)

START_TRAINING = "START_TRAINING"


@dataclass(frozen=True, slots=True)
class Services:
    """The services that the routes call.

    Attributes:
        suggesting: computes alternatives.
        recording: writes webhooks down and processes them.
        refining: makes masks from clicks, boxes and strokes.
        deadline_s: seconds that one /predict may take in total.
        start_training: starts the training; returns False when one is running.
        get_last_syncs: returns the last sync of every project, for the page at `/`.
        delivering: writes predictions into Label Studio; None without an API key.
        check_label_studio: asks Label Studio whether it accepts our key; returns what is wrong, or "".
        studio_url: Label Studio's address as browsers see it, for links; "" without one.
        vlm_usage: counts the calls of the vision-language model.
    """

    suggesting: SuggestionService
    recording: RecordingService
    refining: RefinementService
    deadline_s: float
    start_training: Callable[[], bool]
    get_last_syncs: Callable[[], Sequence[SyncResult]] = tuple
    delivering: DeliveryService | None = None
    check_label_studio: Callable[[], str] = str
    studio_url: str = ""
    vlm_usage: VlmUsage = field(default_factory=VlmUsage)


@dataclass(frozen=True, slots=True)
class PredictResponse:
    """The answer to /predict.

    Attributes:
        results: one entry for each task: a list of predictions, or one prediction as a dict for a click.
        version: the model version of all results.
        causes: one for each task: why it has no alternatives; "" when it has, here or in Label Studio.
    """

    results: list[Any]
    version: str
    causes: Sequence[str]


def set_up_project(backend: Services, body: object) -> str:
    """Store the project, and return the version of its suggestions.

    Raises:
        InputError: the body is not a /setup request.
        LabelConfigError: the label config lacks a tag; the message says which one to add.
        NotReady: the models could not be loaded. Label Studio shows the message.
    """
    models = backend.suggesting.worker.get_state()
    if models.is_failed:
        raise NotReady(f"the models could not be loaded: {models.reason}")
    backend.suggesting.save_project(read_setup_request(body))
    return backend.suggesting.version


def predict(backend: Services, body: object, *, by_label_studio: bool = False) -> PredictResponse:
    """Return one entry for each task: a list of predictions, or [] with the reason in the log.

    Args:
        backend: the services.
        body: the JSON of the request.
        by_label_studio: whether the client is Label Studio, which stores the predictions of the answer. Then
            an entry is also empty when its predictions are written through the API
            (see `service/delivering.py`), and a failed interactive request is answered with a notice if the
            label config can show one.

    Raises:
        InputError: the body is not a /predict request.
        LabelConfigError: the label config has no place for a mask.
    """
    request, version = read_predict_request(body), backend.suggesting.version
    if request.context is not None:
        try:
            regions, score = _predict_interactive(backend, request, request.context)
        except BackendError as error:
            # The editor shows no error. Other clients get it.
            if not (by_label_studio and can_show_notices(request.controls)):
                raise
            log.warning("an interactive request was answered with a notice: %s", error)
            regions, score = write_notice(Notice.NO_ANSWER, request.context, request.controls), 0.0
        return PredictResponse(
            [write_interactive_prediction(regions, score=score, version=version)], version, [""]
        )
    batch = PredictBatch.from_request(request, version, partial(_find_carried_expression, backend))
    if by_label_studio and backend.delivering and backend.delivering.can_reach(request.project):
        answer = answer_one if len(batch.entries) == 1 else answer_several
        answers = answer(batch, backend.suggesting, backend.delivering, backend.deadline_s)
    else:
        answers = answer_all(batch, backend.suggesting, backend.delivering, backend.deadline_s)
    return PredictResponse([a.predictions for a in answers], version, [a.cause for a in answers])


def _find_carried_expression(backend: Services, entry: Task | TaskFailure) -> str:
    """Return the carried expression for a task without one of its own, else ""."""
    if isinstance(entry, TaskFailure) or entry.expression:
        return ""
    return backend.recording.find_carried_expression(entry.project)


def _predict_interactive(
    backend: Services, request: PredictRequest, region_context: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], float]:
    """Return the regions for one task, and the score. Typed words take precedence over clicks and boxes.

    If there is no mask, the regions show a notice, or are [] if the label config cannot show it.
    """
    (entry, *_) = request.entries or (TaskFailure(None, "an interactive request needs a task"),)
    if isinstance(entry, TaskFailure):
        raise InputError(entry.reason)
    context = read_context(region_context, request.controls, backend.recording.find_image_size(entry))
    controls = replace(request.controls, label=context.label or request.controls.label)
    if context.expression:
        regions, score = _suggest_for_words(backend, entry, context.expression, controls)
    else:
        assert context.prompts is not None
        regions, score = _refine(backend, entry, context.prompts, controls)
    if not regions:
        return write_notice(Notice.NOTHING_FOUND, region_context, controls), 0.0
    return [*regions, *clear_notices(controls)], score


def _suggest_for_words(
    backend: Services, entry: Task, words: str, controls: Controls
) -> tuple[list[dict[str, Any]], float]:
    task = replace(entry, expression=to_expression(words, entry.task_id, controls.expression_area))
    (result,) = backend.suggesting.suggest([task], deadline_s=backend.deadline_s, interactive=True)
    if result.cause in ("late", "NotReady"):  # an empty answer would mean that there is no such thing
        raise NotReady(result.reason)
    score = result.alternatives[0].suggestion.score if result.alternatives else 0.0
    return write_alternatives(result.alternatives, controls), score


def _refine(
    backend: Services, entry: Task, prompts: Prompts, controls: Controls
) -> tuple[list[dict[str, Any]], float]:
    refined = backend.refining.refine(entry, prompts, deadline_s=backend.deadline_s)
    if refined is None:
        return [], 0.0
    return write_refined_mask(refined.mask, refined.alternative, controls, score=refined.score), refined.score


def record_event(backend: Services, body: object) -> bool:
    """Store a webhook for later processing; return False when the same one is stored already.

    Raises:
        InputError: the body is not a JSON object.
        StoreError: it could not be stored.
    """
    if not isinstance(body, dict):
        raise InputError(f"a webhook's body must be a JSON object, got {type(body).__name__}")
    is_new = backend.recording.record(body)
    if body.get("action") == START_TRAINING:
        backend.start_training()
    return is_new

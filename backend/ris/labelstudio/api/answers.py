"""The shapes of Label Studio's answers, and the one reader that checks them.

An answer may come from a proxy's page, another program or a damaged database. `check_answer` turns whatever
came into the shape that was asked for, or into one sentence. Nothing else looks into the JSON of an answer.
Fields that are not named here are dropped; a value of another type is an error and is not converted.
"""

import json
from typing import Annotated, Any, NotRequired, TypedDict, TypeVar

import msgspec

from ris.errors import LabelStudioError

MAX_TASKS_IN_PROJECT = 10_000_000  # in one project; a total above it is no number of tasks
AnyId = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]
Shape = TypeVar("Shape")


class ProjectAnswer(TypedDict):
    """A project."""

    id: AnyId
    created_at: NotRequired[str]
    title: NotRequired[str | None]
    label_config: NotRequired[str | None]
    model_version: NotRequired[str | None]
    show_collab_predictions: NotRequired[bool | None]
    sampling: NotRequired[str | None]
    task_number: NotRequired[Annotated[int, msgspec.Meta(ge=0, le=MAX_TASKS_IN_PROJECT)] | None]
    num_tasks_with_annotations: NotRequired[
        Annotated[int, msgspec.Meta(ge=0, le=MAX_TASKS_IN_PROJECT)] | None
    ]


class ListedUserAnswer(TypedDict):
    """A user in the list of all users."""

    id: AnyId
    first_name: NotRequired[str | None]
    last_name: NotRequired[str | None]
    username: NotRequired[str | None]


class MLBackendAnswer(TypedDict):
    """An ML backend that is connected to a project."""

    id: AnyId
    url: NotRequired[str]
    title: NotRequired[str | None]
    state: NotRequired[str | None]
    error_message: NotRequired[str | None]
    model_version: NotRequired[str | None]
    is_interactive: NotRequired[bool | None]


class WebhookAnswer(TypedDict):
    """A webhook of a project."""

    id: AnyId
    url: NotRequired[str]
    is_active: NotRequired[bool | None]
    send_payload: NotRequired[bool | None]
    send_for_all_actions: NotRequired[bool | None]
    headers: NotRequired[dict[str, Any] | None]
    consecutive_failures: NotRequired[int | None]


class UploadAnswer(TypedDict):
    """A file that was uploaded to a project; `file` is its path in Label Studio's storage."""

    id: AnyId
    file: str


class StoredFileAnswer(TypedDict):
    """An uploaded file that was asked for by its number."""

    file: str


class NewUploadsAnswer(TypedDict):
    """The numbers of the files that an upload stored."""

    file_upload_ids: NotRequired[list[AnyId] | None]


class TaskPageAnswer(TypedDict):
    """One page of a listing of tasks; a task is read by itself, so that an odd one fails alone."""

    tasks: list[Any]
    total: Annotated[int, msgspec.Meta(ge=0, le=MAX_TASKS_IN_PROJECT)]


class ListedTaskAnswer(TypedDict):
    """A task of a listing. The values of the lists are read by themselves."""

    id: AnyId
    data: NotRequired[dict[str, Any] | None]
    annotations: NotRequired[list[dict[str, Any]] | None]
    total_predictions: NotRequired[int | None]


class AnnotationAnswer(TypedDict):
    """What every annotation has."""

    id: AnyId
    updated_at: str


class ProjectPageAnswer(TypedDict):
    """One page of a listing of projects."""

    results: list[ProjectAnswer]
    count: NotRequired[int]


class PredictionAnswer(TypedDict):
    """A prediction of a task."""

    id: AnyId
    model_version: NotRequired[str | None]
    result: NotRequired[list[Any] | None]


class PredictedTaskAnswer(TypedDict):
    """A task with its predictions and annotations."""

    id: AnyId
    predictions: NotRequired[list[PredictionAnswer] | None]
    annotations: NotRequired[list[dict[str, Any]] | None]
    drafts: NotRequired[Any]
    draft_exists: NotRequired[Any]


class ImportAnswer(TypedDict):
    """What an import of tasks made."""

    task_count: NotRequired[Annotated[int, msgspec.Meta(ge=0)] | None]
    task_ids: NotRequired[list[AnyId] | None]


class VersionAnswer(TypedDict):
    """The version of Label Studio."""

    release: NotRequired[str | None]


class UserAnswer(TypedDict):
    """The user of our key."""

    email: NotRequired[str | None]


class TokenAnswer(TypedDict):
    """An access token."""

    access: Annotated[str, msgspec.Meta(min_length=1)]


def parse_answer(content: bytes) -> Any:
    """Parse the JSON of an answer; None if it is empty.

    Raises:
        ValueError: it is no JSON, is nested too deeply, or holds a number of thousands of digits.
    """
    if not content.strip():
        return None
    try:
        return json.loads(content)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def check_answer(answer: object, shape: type[Shape], what: str) -> Shape:
    """Check an answer that was parsed, and return it in its shape.

    Args:
        answer: JSON as Python objects.
        shape: a class of this module, or a list of one.
        what: was asked for, e.g. "project 3"; the message names it.

    Raises:
        LabelStudioError: the answer has another shape; the message says where and how.
    """
    try:
        return msgspec.convert(answer, shape)
    except (msgspec.ValidationError, RecursionError) as error:
        reason = str(error).replace("`", "")
        raise LabelStudioError(
            f"Label Studio's answer for {what} cannot be read ({reason[:160]}): is RIS_LABEL_STUDIO_URL "
            "Label Studio's address, and does a proxy change its answers?"
        ) from error

"""The tables. A mask is stored as COCO's compressed string, with its height and width in pixels."""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    DateTime,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from ris.store.compressed_json import CompressedJson


class UtcDateTime(TypeDecorator[datetime]):
    """A time in UTC, with its time zone in Python on every database (SQLite stores none)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert a time to UTC; one without a time zone is a ValueError."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time needs a time zone, got {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return a stored time in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class BaseRow(DeclarativeBase):
    """The base of all tables. Constraints have names, so that migrations can change them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: JSON(none_as_null=True), list[str]: JSON}  # noqa: RUF012


class ProjectRow(BaseRow):
    """A Label Studio project: `key` is "<id>.<created_at>", because Label Studio reuses ids.

    `kept_words` is the expression that its annotators carry over to the next image, set at `kept_at`.
    """

    __tablename__ = "project"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    label_config: Mapped[str] = mapped_column(Text)
    extra_params: Mapped[dict[str, Any]]
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]
    kept_words: Mapped[str | None] = mapped_column(Text)
    kept_at: Mapped[datetime | None]


class LabelConfigRow(BaseRow):
    """A label config of a project, with the first and the last time at which it was seen in use."""

    __tablename__ = "label_config"
    __table_args__ = (UniqueConstraint("project", "digest", name="uq_label_config_text"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the text."""
    label_config: Mapped[str] = mapped_column(Text)
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]


class ImageRow(BaseRow):
    """An image that was fetched, by the SHA-256 of its file."""

    __tablename__ = "image"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    height: Mapped[int]
    width: Mapped[int]
    first_seen: Mapped[datetime]


class AddressRow(BaseRow):
    """The image found at an address, for tasks without predictions of their own."""

    __tablename__ = "address"
    __table_args__ = (UniqueConstraint("address", "project", "digest", name="uq_address_digest"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(String(64))
    """SHA-256 of `core.address.to_address`, because an index is limited in length."""
    project: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(ForeignKey("image.digest"))
    seen_at: Mapped[datetime]
    """When it was first found there; the file at an address can be replaced."""


class ProposalsRow(BaseRow):
    """The proposals that methods ranked: kept once, however many expressions and versions ranked them."""

    __tablename__ = "proposals"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the size and the masks."""
    height: Mapped[int]
    width: Mapped[int]
    masks: Mapped[list[str]] = mapped_column(CompressedJson)


class TaskRow(BaseRow):
    """One task whose alternatives were computed under one version.

    A task whose expression or image was changed in Label Studio becomes another row: the alternatives shown
    for the old expression stay as they were.
    """

    __tablename__ = "task"
    __table_args__ = (
        UniqueConstraint("project", "task_id", "asked", "version", name="uq_task_asked"),
        Index("ix_task_project_task_id", "project", "task_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project: Mapped[str] = mapped_column(String(64))
    task_id: Mapped[int]
    asked: Mapped[str] = mapped_column(String(64))
    """SHA-256 of image reference and expression, because an index is limited in length."""
    image_url: Mapped[str] = mapped_column(Text)
    expression: Mapped[str] = mapped_column(Text)
    version: Mapped[str] = mapped_column(String(80))
    image_digest: Mapped[str] = mapped_column(ForeignKey("image.digest"))
    left_out: Mapped[dict[str, Any]]
    explained: Mapped[dict[str, Any]] = mapped_column(CompressedJson)
    """By method: "evidence"; "scores", one a proposal; "heat": {"side", "bytes"}, 8 bits a patch, base64."""
    proposals: Mapped[str | None] = mapped_column(ForeignKey("proposals.key"), index=True)
    """The ranked masks; None for rows older than this column."""
    late_proposals: Mapped[list[list[str]] | None] = mapped_column(CompressedJson)
    """The masks that were made for this expression alone, each with the method that said where it is; the
    scores of "explained" are of the proposals, and then of these. None without any."""
    answered_at: Mapped[datetime]


class SuggestionRow(BaseRow):
    """One ranked mask, as it was shown."""

    __tablename__ = "suggestion"
    __table_args__ = (UniqueConstraint("task", "rank", name="uq_suggestion_task_rank"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    task: Mapped[int] = mapped_column(ForeignKey("task.id"))
    rank: Mapped[int]
    place: Mapped[int | None]
    """The position at which it was shown, from 0; None for the order of the ranks."""
    region_id: Mapped[str] = mapped_column(String(80), index=True)
    score: Mapped[float]
    counts: Mapped[str] = mapped_column(Text)
    height: Mapped[int]
    width: Mapped[int]
    x1: Mapped[float]
    y1: Mapped[float]
    x2: Mapped[float]
    y2: Mapped[float]
    methods: Mapped[dict[str, Any]]
    late_method: Mapped[str | None] = mapped_column(String(40))
    """The method that said where a late proposal is; None for every other mask."""
    absence_chance: Mapped[float | None]
    """The chance that the expression has no referent, the same for all its alternatives; None if unknown."""
    is_absence_prechosen: Mapped[bool | None]
    """Whether the answer "object not in image" was chosen in advance."""


class DescriptionRow(BaseRow):
    """A cached answer of a describer for an image and a prompt."""

    __tablename__ = "description"
    __table_args__ = (UniqueConstraint("digest", "asked", name="uq_description_asked"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    asked: Mapped[str] = mapped_column(String(64))
    """SHA-256 of model and prompt; the prompt contains the expression."""
    model: Mapped[str] = mapped_column(Text)
    prompt: Mapped[str] = mapped_column(Text)
    said: Mapped[str] = mapped_column(Text)
    said_at: Mapped[datetime]


class EventRow(BaseRow):
    """The inbox: the webhooks of Label Studio without secrets. Append-only; only the state changes."""

    __tablename__ = "event"
    __table_args__ = (Index("ix_event_state_id", "state", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    received_at: Mapped[datetime]
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    action: Mapped[str] = mapped_column(String(64))
    body: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(8))
    """"new", "done" or "failed"."""
    error: Mapped[str | None] = mapped_column(Text)
    processed_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    """How often the database refused to record a new event."""
    retry_at: Mapped[datetime | None]
    """When a new event is processed next; None: at once."""


class FailureRow(BaseRow):
    """An answer, or a whole event, that cannot be read. Removed once a newer version can be read."""

    __tablename__ = "failure"
    __table_args__ = (Index("ix_failure_project_annotation_id", "project", "annotation_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    event: Mapped[int] = mapped_column(ForeignKey("event.id"), index=True)
    cause: Mapped[str] = mapped_column(String(32))
    sentence: Mapped[str] = mapped_column(Text)
    project: Mapped[str | None] = mapped_column(String(64))
    task_id: Mapped[int | None]
    annotation_id: Mapped[int | None]
    updated_at: Mapped[datetime | None]
    """The version of the answer; these four columns are None when the whole event failed."""


# The page of the lead shows the newest decisions: all, or those of a project, of an annotator, of a verdict.
_NEWEST_INDEXES = {
    "ix_correction_newest": (),
    "ix_correction_project_newest": ("project",),
    "ix_correction_annotator_newest": ("annotator",),
    "ix_correction_verdict_newest": ("verdict",),
}


class CorrectionRow(BaseRow):
    """One judged version of an annotation; append-only. Only `is_current` changes."""

    __tablename__ = "correction"
    __table_args__ = (
        UniqueConstraint("project", "annotation_id", "updated_at", name="uq_correction_version"),
        Index("ix_correction_project_task_id", "project", "task_id"),
        Index(
            "ix_correction_current", "project", "task_id", "annotation_id",
            sqlite_where=text("is_current = 1"), postgresql_where=text("is_current"),
        ),
        *(
            Index(
                name, *columns, "updated_at", "id",
                sqlite_where=text("is_current = 1"), postgresql_where=text("is_current"),
            )
            for name, columns in _NEWEST_INDEXES.items()
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    project: Mapped[str] = mapped_column(String(64))
    annotation_id: Mapped[int]
    updated_at: Mapped[datetime]
    task_id: Mapped[int]
    image_url: Mapped[str] = mapped_column(Text)
    expression: Mapped[str] = mapped_column(Text)
    annotator: Mapped[int | None]
    lead_time_s: Mapped[float | None]
    parent_prediction: Mapped[int | None]
    cancelled: Mapped[bool]
    region_ids: Mapped[list[str]]
    verdict: Mapped[str] = mapped_column(String(16))
    rank: Mapped[int | None]
    iou: Mapped[float | None]
    added_px: Mapped[int | None]
    removed_px: Mapped[int | None]
    boundary_iou: Mapped[float | None]
    version: Mapped[str | None] = mapped_column(String(80))
    counts: Mapped[str | None] = mapped_column(Text)
    height: Mapped[int | None]
    width: Mapped[int | None]
    event: Mapped[int | None] = mapped_column(ForeignKey("event.id"))
    recorded_at: Mapped[datetime]
    comparison: Mapped[dict[str, Any] | None]
    """`core.comparison.Comparison`; None for rows older than this column, see `store.judged`."""
    is_current: Mapped[bool] = mapped_column(server_default=false())
    """Whether this version counts: set by `store.current.refresh_current`."""


class TallyRow(BaseRow):
    """The number of versions that count, by project, day in UTC, annotator, verdict and rank.

    It is kept in step with `correction.is_current`, so that a page with counts need not read the decisions.
    """

    __tablename__ = "tally"

    project: Mapped[str] = mapped_column(String(64), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    annotator: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Label Studio's user id; -1 for an unknown one."""
    verdict: Mapped[str] = mapped_column(String(16), primary_key=True)
    rank: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Of the alternative that was taken or is most similar; -1 without one."""
    n_decisions: Mapped[int]


class DeletionRow(BaseRow):
    """A deleted annotation, or a deleted task with all its annotations. Later events do not undo it."""

    __tablename__ = "deletion"
    __table_args__ = (UniqueConstraint("project", "kind", "gone_id", name="uq_deletion_gone"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(10))
    """"annotation" or "task"."""
    gone_id: Mapped[int]
    event: Mapped[int | None] = mapped_column(ForeignKey("event.id"))
    recorded_at: Mapped[datetime]


class LearnedRankingRow(BaseRow):
    """A ranking learned from the decisions: its coefficients, and the figures of its evaluation."""

    __tablename__ = "learned"
    __table_args__ = (Index("ix_learned_base", "base"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(String(80), unique=True)
    base: Mapped[str] = mapped_column(String(80))
    """The version without a learned ranking: of preset, weights and settings."""
    coefficients: Mapped[dict[str, Any]]
    figures: Mapped[dict[str, Any]]
    made_at: Mapped[datetime]


class VersionUseRow(BaseRow):
    """The version of a base in use since a time; append-only, the newest row counts."""

    __tablename__ = "use"

    id: Mapped[int] = mapped_column(primary_key=True)
    base: Mapped[str] = mapped_column(String(80), index=True)
    version: Mapped[str] = mapped_column(String(80))
    since: Mapped[datetime]


class VlmAnswerRow(BaseRow):
    """A cached answer of a vision-language model to exactly what was sent."""

    __tablename__ = "vlm_answer"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the picture as sent, the model, the prompt and the parameters."""
    model: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text)
    is_cut: Mapped[bool]
    """Whether the answer reached its longest length."""
    tokens_in: Mapped[int]
    tokens_out: Mapped[int]
    """As the server counted them; 0 where it did not."""
    answered_at: Mapped[datetime]


class DeliveryRow(BaseRow):
    """A task's predictions of a version that Label Studio requested and is not known to have.

    The row is removed once they were seen there. It survives a restart, so that no request is lost.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("project", "task_id", "version", name="uq_delivery_task"),
        Index("ix_delivery_held_until", "held_until"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project: Mapped[str] = mapped_column(String(64))
    task_id: Mapped[int]
    version: Mapped[str] = mapped_column(String(80))
    image_url: Mapped[str] = mapped_column(Text)
    expression: Mapped[str] = mapped_column(Text)
    words: Mapped[str] = mapped_column(Text)
    """The carried expression, which is written with the predictions; else ""."""
    held_until: Mapped[datetime | None]
    """When the hold of a writer expires; until then no other may write. None without a writer."""
    attempts: Mapped[int]
    """The number of failed fetches of the image."""


class SyncStateRow(BaseRow):
    """How the sync of one project went: its last success, and its failures since then."""

    __tablename__ = "sync_state"

    project: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """The project's number in Label Studio, which is all that a deleted project leaves."""
    last_success: Mapped[datetime | None]
    last_failure: Mapped[datetime | None]
    failure: Mapped[str] = mapped_column(Text)
    """The sentence of the last failure; "" if there was none since the last success."""
    n_failures: Mapped[int]
    """In a row, since the last success."""
    is_missing: Mapped[bool]
    """Whether Label Studio said at the last failure that there is no such project."""
    forgotten_at: Mapped[datetime | None]
    """When a person said that the project is not to be synced any more."""
    key: Mapped[str | None] = mapped_column(String(64))
    """The key of the project that the next four columns are about; Label Studio reuses numbers."""
    watermark: Mapped[datetime | None]
    """All changes until then, by Label Studio's clock, were read."""
    digest: Mapped[str | None] = mapped_column(String(64))
    """SHA-256 of which tasks had changed shortly before the watermark and since."""
    config_digest: Mapped[str | None] = mapped_column(String(64))
    """SHA-256 of the label config."""
    compared_at: Mapped[datetime | None]
    """When all answers were compared last, by our clock."""
    webhook_fault: Mapped[str] = mapped_column(Text, server_default="")
    """What was wrong with the project's webhook last; "" if nothing ever was."""
    webhook_fault_at: Mapped[datetime | None]
    """When that was found."""
    is_webhook_repaired: Mapped[bool] = mapped_column(server_default=true())
    """Whether it was repaired."""


class ProjectNameRow(BaseRow):
    """What Label Studio says of a project: its title, and how many of its tasks are answered."""

    __tablename__ = "project_name"

    project: Mapped[str] = mapped_column(String(64), primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    n_tasks: Mapped[int]
    n_answered: Mapped[int]
    """Tasks with an annotation."""
    seen_at: Mapped[datetime]


class AnnotatorNameRow(BaseRow):
    """The name of an annotator in Label Studio."""

    __tablename__ = "annotator_name"

    annotator: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Label Studio's user id."""
    name: Mapped[str] = mapped_column(Text)
    seen_at: Mapped[datetime]


class AdjudicationRow(BaseRow):
    """A task that settles another one, on which people disagree.

    Its answers count for that one, see `store.adjudications`.
    """

    __tablename__ = "adjudication"
    __table_args__ = (
        UniqueConstraint("project", "task_id", name="uq_adjudication_task"),
        Index("ix_adjudication_source", "source_project", "source_task_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project: Mapped[str] = mapped_column(String(64))
    task_id: Mapped[int]
    source_project: Mapped[str] = mapped_column(String(64))
    source_task_id: Mapped[int]
    image_url: Mapped[str] = mapped_column(Text)
    expression: Mapped[str] = mapped_column(Text)
    """Of both tasks. An answer to another image or other words settles nothing."""
    version: Mapped[str] = mapped_column(String(80))
    """Of the alternatives: names the masks that they are made of."""
    alternatives: Mapped[dict[str, Any]]
    """By region id: "rank", "score", and "answers", the ids in `correction` of the versions with its mask."""
    made_at: Mapped[datetime]


class GoldRow(BaseRow):
    """A gold task: one whose right answer is known, and which nobody can tell from the others."""

    __tablename__ = "gold"
    __table_args__ = (UniqueConstraint("project", "task_id", name="uq_gold_task"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project: Mapped[str] = mapped_column(String(64))
    task_id: Mapped[int]
    image_url: Mapped[str] = mapped_column(Text)
    expression: Mapped[str] = mapped_column(Text)
    """An answer to another image or other words is not compared."""
    counts: Mapped[str | None] = mapped_column(Text)
    height: Mapped[int | None]
    width: Mapped[int | None]
    """The known mask; None if there is no referent."""
    author: Mapped[int | None]
    """Who made the known mask, and is not scored on it: Label Studio's user id; None when unknown."""
    origin: Mapped[str] = mapped_column(Text)
    """Where the mask comes from, for people."""
    added_at: Mapped[datetime]


class WebhookTokenRow(BaseRow):
    """A token with which the server accepts a webhook of a project.

    While a token is replaced, a project has two. The newest has the largest id.
    """

    __tablename__ = "webhook_token"

    id: Mapped[int] = mapped_column(primary_key=True)
    project: Mapped[int] = mapped_column(index=True)
    """The project's number in Label Studio."""
    digest: Mapped[str | None] = mapped_column(String(64), unique=True)
    """The sha256 of the token, in hex. None: the token that earlier versions computed from the password."""

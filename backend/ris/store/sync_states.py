"""How the sync of each project went. A project is named by its number in Label Studio."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ris.store.records import add_once
from ris.store.schema import SyncStateRow


@dataclass(frozen=True, slots=True)
class SyncState:
    """The state of one project.

    Attributes:
        project: its number in Label Studio.
        last_success: when it was read completely; None if never.
        last_failure: when that failed last; None if never.
        failure: the sentence of the last failure; "" if there was none since the last success.
        n_failures: in a row, since the last success.
        is_missing: Label Studio said at the last failure that there is no such project.
        forgotten_at: when a person stopped its sync; None if it is synced.
        webhook_fault: what was wrong with its webhook last; "" if nothing ever was.
        webhook_fault_at: when that was found.
        is_webhook_repaired: whether the sync could repair it.
    """

    project: int
    last_success: datetime | None = None
    last_failure: datetime | None = None
    failure: str = ""
    n_failures: int = 0
    is_missing: bool = False
    forgotten_at: datetime | None = None
    webhook_fault: str = ""
    webhook_fault_at: datetime | None = None
    is_webhook_repaired: bool = True

    @property
    def has_broken_webhook(self) -> bool:
        """Whether decisions cannot arrive by the webhook, and the project is to be synced."""
        return not self.is_webhook_repaired and self.forgotten_at is None

    @property
    def webhook_summary(self) -> str:
        """What was wrong with the webhook, in words, times in UTC; "" if nothing ever was."""
        if not self.webhook_fault or self.webhook_fault_at is None:
            return ""
        outcome = "repaired" if self.is_webhook_repaired else "not repaired"
        return f"{_to_minutes(self.webhook_fault_at)}: {self.webhook_fault}; {outcome}"

    @property
    def is_failing(self) -> bool:
        """Whether the last sync failed, and the project is to be synced."""
        return self.n_failures > 0 and self.forgotten_at is None

    @property
    def summary(self) -> str:
        """The state in words, times in UTC."""
        if self.forgotten_at:
            return f"not synced since {_to_minutes(self.forgotten_at)}, as `ris forget` said"
        success = f"last success {_to_minutes(self.last_success)}" if self.last_success else "no success yet"
        if not self.n_failures or self.last_failure is None:
            return success
        times = "once" if self.n_failures == 1 else f"{self.n_failures} times in a row"
        return f"{success}; failed {times}, last {_to_minutes(self.last_failure)}: {self.failure}"


@dataclass(frozen=True, slots=True)
class SyncPosition:
    """Where the sync of a project ended.

    Attributes:
        key: of the project.
        watermark: all changes until then, by Label Studio's clock, were read; None if it had no answer.
        digest: of the tasks that had changed shortly before the watermark, and since.
        config_digest: of the label config.
        compared_at: when all answers were compared last, by our clock.
    """

    key: str
    watermark: datetime | None
    digest: str
    config_digest: str
    compared_at: datetime


def _to_minutes(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def save_sync_success(session: Session, project: int, *, at: datetime) -> None:
    """Store that a project was read completely; this ends its failures, and that it was forgotten."""
    _save(
        session, project, last_success=at, failure="", n_failures=0, is_missing=False, forgotten_at=None
    )  # fmt: skip


def save_sync_position(session: Session, project: int, position: SyncPosition) -> None:
    """Store where the sync of a project ended."""
    _save(
        session, project, key=position.key, watermark=position.watermark, digest=position.digest,
        config_digest=position.config_digest, compared_at=position.compared_at,
    )  # fmt: skip


def find_sync_position(session: Session, project: int, key: str) -> SyncPosition | None:
    """Find where the sync of a project ended; None if it never did, or another project had its number."""
    row = session.get(SyncStateRow, project)
    if row is None or row.key != key or row.compared_at is None:
        return None
    return SyncPosition(key, row.watermark, row.digest or "", row.config_digest or "", row.compared_at)


def save_webhook_fault(
    session: Session, project: int, fault: str, *, at: datetime, is_repaired: bool
) -> None:
    """Store what is wrong with the webhook of a project; the time of a fault that lasts stays.

    Args:
        session: of the database.
        project: its number.
        fault: a clause or a sentence.
        at: the time.
        is_repaired: whether it was repaired.
    """
    row = session.get(SyncStateRow, project)
    lasts = row is not None and not row.is_webhook_repaired and not is_repaired
    first_seen = row.webhook_fault_at if row is not None and lasts else at
    _save(session, project, webhook_fault=fault, webhook_fault_at=first_seen, is_webhook_repaired=is_repaired)


def clear_broken_webhook(session: Session, project: int) -> None:
    """Store that the webhook of a project works; a fault that was repaired stays in words."""
    row = session.get(SyncStateRow, project)
    if row is not None and not row.is_webhook_repaired:
        _save(session, project, webhook_fault="", webhook_fault_at=None, is_webhook_repaired=True)


def save_sync_failure(
    session: Session, project: int, failure: str, *, at: datetime, is_missing: bool
) -> None:
    """Store that a project could not be read.

    Args:
        session: of the database.
        project: its number.
        failure: the sentence.
        at: the time.
        is_missing: Label Studio says that there is no such project.
    """
    more = SyncStateRow.n_failures + 1
    _save(session, project, last_failure=at, failure=failure, n_failures=more, is_missing=is_missing)


def forget_project(session: Session, project: int, *, at: datetime) -> None:
    """Store that a project is not to be synced any more, until a newer project has its number."""
    _save(session, project, forgotten_at=at)


def find_sync_states(session: Session) -> list[SyncState]:
    """Return the states of all projects that were synced or forgotten, by number."""
    rows = session.scalars(select(SyncStateRow).order_by(SyncStateRow.project))
    return [
        SyncState(
            row.project, row.last_success, row.last_failure, row.failure, row.n_failures, row.is_missing,
            row.forgotten_at, row.webhook_fault, row.webhook_fault_at, row.is_webhook_repaired,
        )
        for row in rows
    ]  # fmt: skip


def _save(session: Session, project: int, **values: Any) -> None:
    add_once(session, SyncStateRow, project=project, failure="", n_failures=0, is_missing=False)
    this = update(SyncStateRow).where(SyncStateRow.project == project)
    session.execute(this.values(**values).execution_options(synchronize_session=False))

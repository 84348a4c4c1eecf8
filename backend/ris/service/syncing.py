"""Sync: read what Label Studio has now, and record what is missing here."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Event as Signal
from threading import Thread

from ris.errors import BackendError, LabelStudioError, LabelStudioMissing
from ris.labelstudio.api.duplicates import (
    DuplicatedTask,
    find_duplicated_tasks,
    remove_surplus_predictions,
)
from ris.labelstudio.api.protocol import LabelStudioApi, WebhookTokens
from ris.labelstudio.api.sync import ProjectState, read_project
from ris.labelstudio.api.webhooks import mend_webhooks
from ris.labelstudio.config.control import read_controls
from ris.labelstudio.fields import find_project_number
from ris.labelstudio.storable import to_storable
from ris.service.comparing import AnswerComparer, ComparisonResult
from ris.service.naming import save_names
from ris.service.recording import RecordingService
from ris.service.sync_start import SyncStart, find_sync_start
from ris.store.deliveries import find_min_alternatives
from ris.store.failures import count_failures
from ris.store.history import count_decisions, find_project_keys
from ris.store.label_configs import save_label_config
from ris.store.session import Database
from ris.store.sync_states import (
    SyncState,
    clear_broken_webhook,
    find_sync_position,
    find_sync_states,
    save_sync_failure,
    save_sync_position,
    save_sync_success,
    save_webhook_fault,
)

log = logging.getLogger(__name__)

_MAX_FAILURE_CHARACTERS = 1000
# The longest time between two tries of a project that fails. After a failure of Label Studio as a whole the
# sync is back within an hour; a project that is gone is asked for once a day, in case it is shown again.
MAX_RETRY_DELAY, MAX_RETRY_DELAY_MISSING = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SyncResult:
    """The result of a sync of one project.

    Attributes:
        project: its key.
        n_in_label_studio: annotations in Label Studio; None if only what changed was read.
        n_recorded: decisions on record after the sync.
        n_applied: versions that were missing here and are decisions now.
        n_gone: decisions whose annotation no longer exists.
        n_duplicates: duplicated predictions that were removed from Label Studio.
        webhook: what was repaired in the project's webhook; "" when nothing was.
        n_failed: answers that cannot be read; they are not decisions.
    """

    project: str
    n_in_label_studio: int | None
    n_recorded: int
    n_applied: int
    n_gone: int
    n_duplicates: int = 0
    webhook: str = ""
    n_failed: int = 0

    @property
    def is_in_sync(self) -> bool:
        """Whether all answers are decisions, and both sides have as many, if they were counted."""
        return self.n_in_label_studio in (None, self.n_recorded) and not self.n_failed


class SyncService:
    """Reads projects through Label Studio's API, and records what is missing.

    Args:
        database: holds the decisions.
        recording: records missing answers as if a webhook had brought them.
        api: a `LabelStudioClient`.
        now: the clock, in UTC.
        tokens: of the webhooks; None if our server asks for none.
        may_remove: asked before the duplicated predictions of these tasks are removed from Label Studio.
    """

    def __init__(
        self,
        database: Database,
        recording: RecordingService,
        api: LabelStudioApi,
        *,
        now: Callable[[], datetime],
        tokens: WebhookTokens | None = None,
        may_remove: Callable[[Sequence[DuplicatedTask]], bool] = lambda tasks: True,
    ) -> None:
        self.database, self.recording, self.api, self.now = database, recording, api, now
        self.tokens, self.may_remove = tokens, may_remove
        self.last_results: dict[str, SyncResult] = {}  # by project, for the page at `/`
        self._closing = Signal()
        self._thread: Thread | None = None

    def sync(self, number: int, *, compares_all: bool = False) -> SyncResult:
        """Record what changed in one project in Label Studio. It can run at any time, and repeatedly.

        Its success or failure is stored, and where it ended. All answers are compared at the first time, once
        a day, after the webhook was repaired, after the label config changed, and on request.

        Args:
            number: the project's id in Label Studio.
            compares_all: compare all answers now.

        Raises:
            LabelStudioMissing: the project is gone there.
            LabelStudioError: Label Studio does not answer or refuses; what was recorded stays.
        """
        try:
            result = self._sync_project(number, compares_all=compares_all)
        except LabelStudioMissing as error:
            self._save_failure(number, str(error), is_missing=True)
            raise
        except Exception as error:
            is_known = isinstance(error, BackendError)
            sentence = str(error) if is_known else f"internal error ({type(error).__name__}); see the log"
            self._save_failure(number, sentence, is_missing=False)
            raise
        with self.database.begin() as session:
            save_sync_success(session, number, at=self.now())
        self.last_results[result.project] = result
        return result

    def _save_failure(self, number: int, sentence: str, *, is_missing: bool) -> None:
        """Store a failure of a project on record. If the database refuses, it is in the log alone."""
        failure = str(to_storable(sentence))[:_MAX_FAILURE_CHARACTERS]
        try:
            with self.database.begin() as session:
                if number in {find_project_number(key) for key in find_project_keys(session)}:
                    save_sync_failure(session, number, failure, at=self.now(), is_missing=is_missing)
        except BackendError as error:
            log.warning("sync of project %d: its failure could not be stored: %s", number, error)

    def _sync_project(self, number: int, *, compares_all: bool) -> SyncResult:
        project = self._read_project(number)
        webhook = self._mend_webhook(project)
        with self.database.begin() as session:
            last = find_sync_position(session, number, project.key)
        start = find_sync_start(self.api, project, last, now=self.now())
        if webhook or compares_all:  # what was lost meanwhile may be a deletion, which changes no task
            start = replace(start, since=None)
        done = self._compare(project, start)
        save_names(self.database, self.api, project, now=self.now())
        n_duplicates = self._remove_duplicates(project) if start.since is None else 0
        compared_at = self.now() if last is None or start.since is None else last.compared_at
        with self.database.begin() as session:
            if label_config := project.body.get("label_config"):
                save_label_config(session, project.key, str(label_config), at=self.now())
            save_sync_position(session, number, start.make_position(project.key, compared_at))
            return SyncResult(
                project.key,
                done.n_read if start.since is None else None,
                count_decisions(session, project=project.key),
                done.n_applied,
                done.n_gone,
                n_duplicates,
                webhook,
                n_failed=count_failures(session, project=project.key),
            )

    def _compare(self, project: ProjectState, start: SyncStart) -> ComparisonResult:
        comparer = AnswerComparer(self.database, self.recording, self.api, project, self.now)
        if start.since is None:
            return comparer.compare_all()
        return comparer.compare_changed(start.since) if start.has_changes else ComparisonResult()

    def _read_project(self, number: int) -> ProjectState:
        try:
            return read_project(self.api, number)
        except LabelStudioMissing as error:
            raise LabelStudioMissing(
                f"project {number} is gone in Label Studio, or the user of our key may not see it; "
                f"its decisions stay on record. `ris forget {number}` stops asking for it"
            ) from error

    def _mend_webhook(self, project: ProjectState) -> str:
        """Repair the project's webhook, and store what was wrong; "" if nothing was repaired."""
        number, at = int(project.body["id"]), self.now()
        try:
            fault, is_repaired = mend_webhooks(self.api, number, self.tokens), True
        except LabelStudioError as error:
            log.warning("the webhook of project %s could not be repaired: %s", project.key, error)
            fault, is_repaired = str(to_storable(str(error)))[:_MAX_FAILURE_CHARACTERS], False
        with self.database.begin() as session:
            if fault:
                save_webhook_fault(session, number, fault, at=at, is_repaired=is_repaired)
            else:
                clear_broken_webhook(session, number)
        return fault if is_repaired else ""

    def _remove_duplicates(self, project: ProjectState) -> int:
        """Remove duplicated predictions; log what cannot be removed."""
        n_duplicates, least = 0, self._find_min_alternatives(project)
        try:
            tasks = find_duplicated_tasks(self.api, int(project.body["id"]), more_than=least)
            found = [one for one in tasks if not one.has_draft]
            if found and self.may_remove(found):
                n_duplicates = sum(remove_surplus_predictions(self.api, one) for one in found)
        except LabelStudioError as error:
            log.warning("duplicates in project %s could not be removed: %s", project.key, error)
        return n_duplicates

    def _find_min_alternatives(self, project: ProjectState) -> int:
        with self.database.begin() as session:
            n_alternatives = find_min_alternatives(session, project.key)
        try:
            is_pick = read_controls(str(project.body.get("label_config") or "")).pick is not None
        except BackendError:
            is_pick = True
        return 1 if is_pick else n_alternatives  # "pick" has one prediction for all alternatives

    def find_project_numbers(self) -> list[int]:
        """Return the ids of all projects on record that are to be synced, in order."""
        return sorted(self._find_states())

    def _find_states(self) -> dict[int, SyncState]:
        """Find the state of every project on record that was not forgotten, by its id."""
        with self.database.begin() as session:
            keys = find_project_keys(session)
            known = {state.project: state for state in find_sync_states(session)}
        states = {}
        for key in keys:
            number = find_project_number(key)
            if number is not None and not _is_forgotten(key, known.get(number)):
                states[number] = known.get(number, SyncState(number))
        return states

    def start(self, every_s: float) -> None:
        """Sync all projects on record now, and again every `every_s` seconds, in a thread of its own."""
        self._thread = Thread(target=self._repeat, args=(every_s,), name="sync", daemon=True)
        self._thread.start()

    def _repeat(self, every_s: float) -> None:
        is_first = True  # whoever corrected a setting restarts the server: every project is tried then
        while not self._closing.is_set():
            try:
                for state in self._find_states().values():
                    is_due = is_first or self.now() >= find_next_try(state, timedelta(seconds=every_s))
                    if is_due and not self._closing.is_set():
                        self._sync_alone(state)
            except BackendError as error:
                log.warning("sync: %s", error)
            except Exception:
                log.exception("the sync failed with an internal error; it is tried again")
            is_first = False
            self._closing.wait(every_s)

    def _sync_alone(self, state: SyncState) -> None:
        """Sync one project; log its failure once, not at every try."""
        try:
            result = self.sync(state.project)
        except BackendError as error:
            level = logging.DEBUG if state.failure == str(error) else logging.WARNING
            log.log(level, "sync of project %d: %s", state.project, error)
            return
        except Exception:
            log.exception("the sync of project %d failed with an internal error", state.project)
            return
        if result.n_applied or result.n_gone or result.n_duplicates:
            log.info(
                "sync of project %s: %s, %d here, %d applied, %d deleted, "
                "%d failed, %d duplicated predictions removed",
                result.project,
                "changes read" if result.n_in_label_studio is None else
                f"{result.n_in_label_studio} in Label Studio", result.n_recorded,
                result.n_applied, result.n_gone, result.n_failed, result.n_duplicates,
            )  # fmt: skip
        if result.webhook:
            log.warning("project %s: webhook repaired: %s", result.project, result.webhook)

    def close(self) -> None:
        """Stop after the running sync."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(timeout=30)


def find_next_try(state: SyncState, interval: timedelta) -> datetime:
    """Find when a project is to be synced next: the delay doubles with each failure in a row.

    Args:
        state: of the project.
        interval: of the sync.

    Returns:
        A time in the past for a project that does not fail.
    """
    if not state.n_failures or state.last_failure is None:
        return datetime.min.replace(tzinfo=UTC)
    longest = MAX_RETRY_DELAY_MISSING if state.is_missing else MAX_RETRY_DELAY
    n_doublings = min(state.n_failures - 1, 20)
    return state.last_failure + max(min(interval * (1 << n_doublings), longest), interval)


def _is_forgotten(key: str, state: SyncState | None) -> bool:
    """Tell whether a project was forgotten: not one that was created afterwards with the same number."""
    if state is None or state.forgotten_at is None:
        return False
    created = key.partition(".")[2]
    return not (created.isascii() and created.isdigit() and int(created) > state.forgotten_at.timestamp())

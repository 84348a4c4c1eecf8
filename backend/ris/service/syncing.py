"""Sync: read what Label Studio has now, and record what is missing here."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event as Signal
from threading import Thread
from typing import Any

from ris.errors import BackendError, LabelStudioError, LabelStudioMissing
from ris.labelstudio.api.duplicates import (
    DuplicatedTask,
    find_duplicated_tasks,
    remove_surplus_predictions,
)
from ris.labelstudio.api.protocol import LabelStudioApi, WebhookTokens
from ris.labelstudio.api.sync import ProjectState, fetch_annotation_states, is_gone, read_project
from ris.labelstudio.api.webhooks import mend_webhooks
from ris.labelstudio.config.control import read_controls
from ris.labelstudio.fields import find_project_number
from ris.labelstudio.storable import to_storable
from ris.service.naming import save_names
from ris.service.recording import RecordingService
from ris.store.current import lock_decisions
from ris.store.deliveries import find_min_alternatives
from ris.store.failures import find_failed_annotation_ids, resolve_failures_of_deleted
from ris.store.history import find_newest_versions, find_project_keys
from ris.store.label_configs import (
    find_label_config_at,
    find_label_config_periods,
    save_label_config,
)
from ris.store.records import add_deletion
from ris.store.session import Database
from ris.store.sync_states import SyncState, find_sync_states, save_sync_failure, save_sync_success

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
        n_in_label_studio: annotations in Label Studio after the sync.
        n_recorded: decisions on record after the sync.
        n_applied: versions that were missing here and are decisions now.
        n_gone: decisions whose annotation no longer exists.
        n_duplicates: duplicated predictions that were removed from Label Studio.
        webhook: what was repaired in the project's webhook; "" when nothing was.
        n_failed: answers that cannot be read; they are not decisions.
    """

    project: str
    n_in_label_studio: int
    n_recorded: int
    n_applied: int
    n_gone: int
    n_duplicates: int = 0
    webhook: str = ""
    n_failed: int = 0

    @property
    def is_in_sync(self) -> bool:
        """Whether both sides have the same number of answers, and all can be read."""
        return self.n_in_label_studio == self.n_recorded and not self.n_failed


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

    def sync(self, number: int) -> SyncResult:
        """Record what one project has now in Label Studio. It can run at any time, and repeatedly.

        Its success or failure is stored.

        Args:
            number: the project's id in Label Studio.

        Raises:
            LabelStudioMissing: the project is gone there.
            LabelStudioError: Label Studio does not answer or refuses; what was recorded stays.
        """
        try:
            result = self._sync_project(number)
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

    def _sync_project(self, number: int) -> SyncResult:
        project = self._read_project(number)
        with self.database.begin() as session:
            known = find_newest_versions(session, project.key)
            configs = find_label_config_periods(session, project.key)
            failed = find_failed_annotation_ids(session, project.key)
        in_label_studio: set[int] = set()
        sent: dict[int, datetime] = {}
        try:
            for answer in fetch_annotation_states(self.api, project):
                in_label_studio.add(answer.annotation_id)
                if known.get(answer.annotation_id) != answer.updated_at:
                    self.recording.record(
                        _replace_label_config(find_label_config_at(configs, answer.updated_at), answer.event)
                    )
                    sent[answer.annotation_id] = answer.updated_at
        finally:  # what came before an odd answer counts
            self.recording.process_arrived_events()
        gone = [i for i in sorted((known.keys() | failed) - in_label_studio) if is_gone(self.api, i)]
        with self.database.begin() as session:
            lock_decisions(session)
            add_deletion(session, project.key, annotation_ids=gone, event_id=None, now=self.now())
            resolve_failures_of_deleted(session, project.key, annotation_ids=gone, now=self.now())
            if label_config := project.body.get("label_config"):
                save_label_config(session, project.key, str(label_config), at=self.now())
        with self.database.begin() as session:
            recorded = find_newest_versions(session, project.key)
            failed = find_failed_annotation_ids(session, project.key)
        applied = sum(recorded.get(number) == at for number, at in sent.items())
        save_names(self.database, self.api, project, now=self.now())
        n_duplicates, webhook = self._repair(project)
        return SyncResult(
            project.key,
            len(in_label_studio),
            len(recorded),
            applied,
            len(gone),
            n_duplicates,
            webhook,
            n_failed=len(failed),
        )

    def _read_project(self, number: int) -> ProjectState:
        try:
            return read_project(self.api, number)
        except LabelStudioMissing as error:
            raise LabelStudioMissing(
                f"project {number} is gone in Label Studio, or the user of our key may not see it; "
                f"its decisions stay on record. `ris forget {number}` stops asking for it"
            ) from error

    def _repair(self, project: ProjectState) -> tuple[int, str]:
        """Remove duplicated predictions and repair the webhook; log what cannot be repaired."""
        number, n_duplicates, webhook = int(project.body["id"]), 0, ""
        try:
            more_than = self._find_min_alternatives(project)
            found = [
                one
                for one in find_duplicated_tasks(self.api, number, more_than=more_than)
                if not one.has_draft
            ]
            if found and self.may_remove(found):
                n_duplicates = sum(remove_surplus_predictions(self.api, one) for one in found)
            webhook = mend_webhooks(self.api, number, self.tokens)
        except LabelStudioError as error:
            log.warning("project %s could not be repaired: %s", project.key, error)
        return n_duplicates, webhook

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
                "sync of project %s: %d in Label Studio, %d here, %d applied, %d deleted, "
                "%d failed, %d duplicated predictions removed",
                result.project, result.n_in_label_studio, result.n_recorded,
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


def _replace_label_config(label_config: str | None, event: dict[str, Any]) -> dict[str, Any]:
    """Return the event with the label config of the answer's time; None leaves today's."""
    if label_config is None:
        return event
    return event | {"project": event["project"] | {"label_config": label_config}}

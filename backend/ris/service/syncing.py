"""Sync: read what Label Studio has now, and record what is missing here."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Event as Signal
from threading import Thread
from types import MappingProxyType
from typing import Any

from ris.errors import BackendError, LabelStudioError
from ris.labelstudio.api.duplicates import find_duplicated_tasks, remove_surplus_predictions
from ris.labelstudio.api.protocol import LabelStudioApi
from ris.labelstudio.api.sync import ProjectState, fetch_annotation_states, is_gone, read_project
from ris.labelstudio.api.webhooks import mend_webhooks
from ris.labelstudio.config.control import read_controls
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

log = logging.getLogger(__name__)


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
        webhook_headers: the headers that our server requires of webhooks.
    """

    def __init__(
        self,
        database: Database,
        recording: RecordingService,
        api: LabelStudioApi,
        *,
        now: Callable[[], datetime],
        webhook_headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.database, self.recording, self.api, self.now = database, recording, api, now
        self.webhook_headers = webhook_headers
        self.last_results: dict[str, SyncResult] = {}  # by project, for the page at `/`
        self._closing = Signal()
        self._thread: Thread | None = None

    def sync(self, number: int) -> SyncResult:
        """Record what one project has now in Label Studio. It can run at any time, and repeatedly.

        Args:
            number: the project's id in Label Studio.

        Raises:
            LabelStudioError: Label Studio does not answer or refuses; what was recorded stays.
        """
        project = read_project(self.api, number)
        with self.database.begin() as session:
            known = find_newest_versions(session, project.key)
            configs = find_label_config_periods(session, project.key)
            failed = find_failed_annotation_ids(session, project.key)
        in_label_studio: set[int] = set()
        sent: dict[int, datetime] = {}
        for answer in fetch_annotation_states(self.api, project):
            in_label_studio.add(answer.annotation_id)
            if known.get(answer.annotation_id) != answer.updated_at:
                self.recording.record(
                    _replace_label_config(find_label_config_at(configs, answer.updated_at), answer.event)
                )
                sent[answer.annotation_id] = answer.updated_at
        while self.recording.process_events():
            pass
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
        n_duplicates, webhook = self._repair(project)
        result = SyncResult(
            project.key,
            len(in_label_studio),
            len(recorded),
            applied,
            len(gone),
            n_duplicates,
            webhook,
            n_failed=len(failed),
        )
        self.last_results[project.key] = result
        return result

    def _repair(self, project: ProjectState) -> tuple[int, str]:
        """Remove duplicated predictions and repair the webhook; log what cannot be repaired."""
        number, n_duplicates, webhook = int(project.body["id"]), 0, ""
        try:
            for one in list(
                find_duplicated_tasks(self.api, number, more_than=self._find_min_alternatives(project))
            ):
                n_duplicates += remove_surplus_predictions(self.api, one)
            webhook = mend_webhooks(self.api, number, self.webhook_headers)
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
        """Return the ids of all projects on record, in order."""
        with self.database.begin() as session:
            return sorted({int(key.split(".")[0]) for key in find_project_keys(session) if key[:1].isdigit()})

    def start(self, every_s: float) -> None:
        """Sync all projects on record now, and again every `every_s` seconds, in a thread of its own."""
        self._thread = Thread(target=self._repeat, args=(every_s,), name="sync", daemon=True)
        self._thread.start()

    def _repeat(self, every_s: float) -> None:
        while not self._closing.is_set():
            try:
                for number in self.find_project_numbers():
                    result = self.sync(number)
                    if result.n_applied or result.n_gone or result.n_duplicates:
                        log.info(
                            "sync of project %s: %d in Label Studio, %d here, %d applied, %d deleted, "
                            "%d failed, %d duplicated predictions removed",
                            result.project, result.n_in_label_studio, result.n_recorded,
                            result.n_applied, result.n_gone, result.n_failed, result.n_duplicates,
                        )  # fmt: skip
                    if result.webhook:
                        log.warning("project %s: webhook repaired: %s", result.project, result.webhook)
            except BackendError as error:
                log.warning("sync: %s", error)
            except Exception:
                log.exception("the sync failed with an internal error; it is tried again")
            self._closing.wait(every_s)

    def close(self) -> None:
        """Stop after the running sync."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(timeout=30)


def _replace_label_config(label_config: str | None, event: dict[str, Any]) -> dict[str, Any]:
    """Return the event with the label config of the answer's time; None leaves today's."""
    if label_config is None:
        return event
    return event | {"project": event["project"] | {"label_config": label_config}}

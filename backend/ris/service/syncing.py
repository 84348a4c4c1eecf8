"""Closing every gap: what Label Studio says now, against what is on record here."""

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
from ris.store.deliveries import find_min_alternatives
from ris.store.failures import find_failed_annotation_ids, resolve_failures_of_deleted
from ris.store.history import find_newest_versions, find_project_keys
from ris.store.label_configs import find_label_config_at, find_label_config_periods
from ris.store.records import add_deletion
from ris.store.session import Database

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What a sync of one project found and did.

    Attributes:
        there, here: annotations in Label Studio and decisions on record, after it.
        applied: versions that were missing here, and are decisions now.
        gone: decisions whose annotation is no longer there.
        doubled: predictions that were in Label Studio twice and were removed there.
        webhook: what was wrong with the project's webhook and is mended; "" when nothing was.
        failed: answers that are not understood, after it; they are no decisions.
    """

    project: str
    n_in_label_studio: int
    n_recorded: int
    n_applied: int
    n_gone: int
    n_doubled: int = 0
    webhook: str = ""
    n_failed: int = 0

    @property
    def is_in_sync(self) -> bool:
        """Whether both sides have the same number of answers, and all of them are understood."""
        return self.n_in_label_studio == self.n_recorded and not self.n_failed


class SyncService:
    """Reads projects through Label Studio's API and brings the record up to them.

    Args:
        api: a `LabelStudioClient`.
        recording: takes what is missing, as if a webhook had brought it.
        now: the clock, in UTC.
        webhook_headers: that our server asks of webhooks.
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
        self.last_results: dict[str, SyncResult] = {}  # by project, for people to look at
        self._closing = Signal()
        self._thread: Thread | None = None

    def sync(self, number: int) -> SyncResult:
        """Bring one project up to what Label Studio has now. Safe at any time, and to repeat.

        Raises:
            LabelStudioError: Label Studio does not answer or refuses; what was applied stays.
        """
        project = read_project(self.api, number)
        with self.database.begin() as session:
            known = find_newest_versions(session, project.key)
            configs = find_label_config_periods(session, project.key)
            failed = find_failed_annotation_ids(session, project.key)
        there: set[int] = set()
        sent: dict[int, datetime] = {}
        for answer in fetch_annotation_states(self.api, project):
            there.add(answer.annotation_id)
            if known.get(answer.annotation_id) != answer.updated_at:
                self.recording.record(
                    _replace_label_config(find_label_config_at(configs, answer.updated_at), answer.event)
                )
                sent[answer.annotation_id] = answer.updated_at
        while self.recording.process_events():
            pass
        gone = [i for i in sorted((known.keys() | failed) - there) if is_gone(self.api, i)]
        with self.database.begin() as session:
            add_deletion(session, project.key, annotation_ids=gone, event_id=None, now=self.now())
            resolve_failures_of_deleted(session, project.key, annotation_ids=gone, now=self.now())
        with self.database.begin() as session:
            here = find_newest_versions(session, project.key)
            failed = find_failed_annotation_ids(session, project.key)
        applied = sum(here.get(number) == at for number, at in sent.items())
        doubled, webhook = self._repair(project)
        done = SyncResult(
            project.key, len(there), len(here), applied, len(gone), doubled, webhook, n_failed=len(failed)
        )
        self.last_results[project.key] = done
        return done

    def _repair(self, project: ProjectState) -> tuple[int, str]:
        """Remove doubled predictions, mend the webhook; what cannot be is told in the log."""
        number, doubled, webhook = int(project.body["id"]), 0, ""
        try:
            for one in list(
                find_duplicated_tasks(self.api, number, more_than=self._find_min_alternatives(project))
            ):
                doubled += remove_surplus_predictions(self.api, one)
            webhook = mend_webhooks(self.api, number, self.webhook_headers)
        except LabelStudioError as error:
            log.warning("project %s could not be put right: %s", project.key, error)
        return doubled, webhook

    def _find_min_alternatives(self, project: ProjectState) -> int:
        with self.database.begin() as session:
            n_alternatives = find_min_alternatives(session, project.key)
        try:
            is_pick = read_controls(str(project.body.get("label_config") or "")).pick is not None
        except BackendError:
            is_pick = True
        return 1 if is_pick else n_alternatives  # "pick" is one prediction, whatever is on it

    def find_project_numbers(self) -> list[int]:
        """The numbers of all projects on record; of one number the newest counts."""
        with self.database.begin() as session:
            return sorted({int(key.split(".")[0]) for key in find_project_keys(session) if key[:1].isdigit()})

    def start(self, every_s: float) -> None:
        """Sync all projects on record now and then again and again, in a thread of its own."""
        self._thread = Thread(target=self._repeat, args=(every_s,), name="sync", daemon=True)
        self._thread.start()

    def _repeat(self, every_s: float) -> None:
        while not self._closing.is_set():
            try:
                for number in self.find_project_numbers():
                    done = self.sync(number)
                    if done.n_applied or done.n_gone or done.n_doubled:
                        log.info(
                            "sync of project %s: %d in Label Studio, %d here, %d applied, %d gone, "
                            "%d not understood, %d doubled predictions removed",
                            done.project, done.n_in_label_studio, done.n_recorded, done.n_applied,
                            done.n_gone, done.n_failed,
                            done.n_doubled,
                        )  # fmt: skip
                    if done.webhook:
                        log.warning("project %s: its webhook is mended: %s", done.project, done.webhook)
            except BackendError as error:
                log.warning("sync: %s", error)
            except Exception:
                log.exception("the sync failed inside; it is tried again")
            self._closing.wait(every_s)

    def close(self) -> None:
        """Stop after the page that is being read."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(timeout=30)


def _replace_label_config(label_config: str | None, event: dict[str, Any]) -> dict[str, Any]:
    """An answer with the label config that it was given under, where that is known, in place of today's."""
    if label_config is None:
        return event
    return event | {"project": event["project"] | {"label_config": label_config}}

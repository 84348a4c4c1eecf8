"""Closing every gap: what Label Studio says now, against what is on record here."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Event as Signal
from threading import Thread
from typing import Any

from backend.errors import BackendError
from backend.labelstudio.sync import Api, answers_of, is_gone, read_project
from backend.service.recording import Recording
from backend.store.failures import failed_annotation_ids, settle_deleted
from backend.store.history import n_decisions, newest_versions, projects
from backend.store.label_configs import config_at, seen_label_configs
from backend.store.records import add_deletion
from backend.store.session import Database

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync of one project found and did.

    Attributes:
        there, here: annotations in Label Studio and decisions on record, after it.
        applied: versions that were missing here.
        gone: decisions whose annotation is no longer there.
    """

    project: str
    there: int
    here: int
    applied: int
    gone: int

    @property
    def agrees(self) -> bool:
        """Whether both sides have the same number of answers."""
        return self.there == self.here


class Syncing:
    """Reads projects through Label Studio's API and brings the record up to them.

    Args:
        api: a `LabelStudioClient`.
        recording: takes what is missing, as if a webhook had brought it.
        now: the clock, in UTC.
    """

    def __init__(
        self, database: Database, recording: Recording, api: Api, *, now: Callable[[], datetime]
    ) -> None:
        self.database, self.recording, self.api, self.now = database, recording, api, now
        self.last: dict[str, Synced] = {}  # by project, for people to look at
        self._closing = Signal()
        self._thread: Thread | None = None

    def sync(self, number: int) -> Synced:
        """Bring one project up to what Label Studio has now. Safe at any time, and to repeat.

        Raises:
            LabelStudioError: Label Studio does not answer or refuses; what was applied stays.
        """
        project = read_project(self.api, number)
        with self.database.begin() as session:
            known = newest_versions(session, project.key)
            configs = seen_label_configs(session, project.key)
            failed = failed_annotation_ids(session, project.key)
        there: set[int] = set()
        applied = 0
        for answer in answers_of(self.api, project):
            there.add(answer.annotation_id)
            if known.get(answer.annotation_id) != answer.updated_at:
                self.recording.record(_given_under(config_at(configs, answer.updated_at), answer.event))
                applied += 1
        while self.recording.work_off():
            pass
        gone = [i for i in sorted((known.keys() | failed) - there) if is_gone(self.api, i)]
        with self.database.begin() as session:
            add_deletion(session, project.key, annotation_ids=gone, event_id=None, now=self.now())
            settle_deleted(session, project.key, annotation_ids=gone, now=self.now())
        with self.database.begin() as session:
            here = n_decisions(session, project=project.key)
        self.last[project.key] = Synced(project.key, len(there), here, applied, len(gone))
        return self.last[project.key]

    def known_projects(self) -> list[int]:
        """The numbers of all projects on record; of one number the newest counts."""
        with self.database.begin() as session:
            return sorted({int(key.split(".")[0]) for key in projects(session) if key[:1].isdigit()})

    def start(self, every_s: float) -> None:
        """Sync all projects on record now and then again and again, in a thread of its own."""
        self._thread = Thread(target=self._repeat, args=(every_s,), name="sync", daemon=True)
        self._thread.start()

    def _repeat(self, every_s: float) -> None:
        while not self._closing.is_set():
            try:
                for number in self.known_projects():
                    done = self.sync(number)
                    if done.applied or done.gone:
                        log.info(
                            "sync of project %s: %d in Label Studio, %d here, %d applied, %d gone",
                            done.project, done.there, done.here, done.applied, done.gone,
                        )  # fmt: skip
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


def _given_under(label_config: str | None, event: dict[str, Any]) -> dict[str, Any]:
    """An answer with the label config that it was given under, where that is known, in place of today's."""
    if label_config is None:
        return event
    return event | {"project": event["project"] | {"label_config": label_config}}

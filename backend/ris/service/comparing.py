"""Compare the answers of a project in Label Studio with the record, page by page, and record what differs."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ris.labelstudio.api.changes import fetch_answered_tasks, fetch_changed_tasks
from ris.labelstudio.api.protocol import LabelStudioApi
from ris.labelstudio.api.sync import (
    AnnotationState,
    ProjectState,
    check_odd_answers,
    is_gone,
    read_annotation_states,
)
from ris.labelstudio.fields import MAX_ID
from ris.service.recording import RecordingService
from ris.store.current import lock_decisions
from ris.store.failures import resolve_failures_of_deleted
from ris.store.label_configs import find_label_config_at, find_label_config_periods
from ris.store.listed_answers import find_answers_between, find_answers_of_tasks, find_current_versions
from ris.store.records import add_deletion
from ris.store.session import Database


@dataclass(slots=True)
class ComparisonResult:
    """The outcome of a comparison.

    Attributes:
        n_read: annotations that Label Studio listed.
        n_applied: versions that were missing here and are decisions now.
        n_gone: annotations that were deleted there.
        odd: a sentence for each task or annotation that cannot be read.
    """

    n_read: int = 0
    n_applied: int = 0
    n_gone: int = 0
    odd: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class AnswerComparer:
    """Compares the answers of one project. Memory does not grow with the project.

    Attributes:
        database: holds the decisions.
        recording: records missing answers as if a webhook had brought them.
        api: Label Studio.
        project: as Label Studio has it now.
        now: the clock, in UTC.
    """

    database: Database
    recording: RecordingService
    api: LabelStudioApi
    project: ProjectState
    now: Callable[[], datetime]

    def compare_all(self) -> ComparisonResult:
        """Compare all answers; what is on record and not listed is looked up, and marked as deleted.

        Raises:
            LabelStudioError: Label Studio did not answer or refused, or answers cannot be read; what could be
                read is recorded.
        """
        done, last = ComparisonResult(), -1
        for tasks in fetch_answered_tasks(self.api, self.project.body["id"]):
            until = tasks[-1]["id"] if tasks else last
            listed = self._record_answers(tasks, done)
            with self.database.begin() as session:
                known = find_answers_between(session, self.project.key, last, until)
            self._mark_deleted(known - listed, done)
            last = until
        with self.database.begin() as session:
            known = find_answers_between(session, self.project.key, last, MAX_ID)
        self._mark_deleted(known, done)
        check_odd_answers(done.odd, self.project)
        return done

    def compare_changed(self, since: datetime) -> ComparisonResult:
        """Compare the answers of the tasks that people changed since a time.

        It finds deleted annotations of these tasks, but no deleted tasks: nothing lists them.

        Args:
            since: by Label Studio's clock.

        Raises:
            LabelStudioError: as `compare_all`.
        """
        done = ComparisonResult()
        for tasks in fetch_changed_tasks(self.api, self.project.body["id"], since):
            listed = self._record_answers(tasks, done)
            with self.database.begin() as session:
                known = find_answers_of_tasks(session, self.project.key, [task["id"] for task in tasks])
            self._mark_deleted(known - listed, done)
        check_odd_answers(done.odd, self.project)
        return done

    def _record_answers(self, tasks: Sequence[dict[str, Any]], done: ComparisonResult) -> set[int]:
        """Record the versions of listed answers that are missing; return the numbers of all of them."""
        states = read_annotation_states(tasks, self.project, done.odd)
        listed = {state.annotation_id for state in states}
        done.n_read += len(listed)
        with self.database.begin() as session:
            known = find_current_versions(session, self.project.key, listed)
        missing = [state for state in states if known.get(state.annotation_id) != state.updated_at]
        if missing:
            done.n_applied += self._record_versions(missing)
        return listed

    def _record_versions(self, missing: Sequence[AnnotationState]) -> int:
        with self.database.begin() as session:
            configs = find_label_config_periods(session, self.project.key)
        self.recording.record_all(
            _replace_label_config(find_label_config_at(configs, state.updated_at), state.event)
            for state in missing
        )
        self.recording.process_arrived_events()
        with self.database.begin() as session:
            now_known = find_current_versions(
                session, self.project.key, [state.annotation_id for state in missing]
            )
        return sum(now_known.get(state.annotation_id) == state.updated_at for state in missing)

    def _mark_deleted(self, not_listed: Collection[int], done: ComparisonResult) -> None:
        """Mark as deleted what Label Studio has no more: each is looked up by its number."""
        key = self.project.key
        gone = [number for number in sorted(not_listed) if is_gone(self.api, number)]
        if not gone:
            return
        with self.database.begin() as session:
            lock_decisions(session)
            add_deletion(session, key, annotation_ids=gone, event_id=None, now=self.now())
            resolve_failures_of_deleted(session, key, annotation_ids=gone, now=self.now())
        done.n_gone += len(gone)


def _replace_label_config(label_config: str | None, event: dict[str, Any]) -> dict[str, Any]:
    """Return the event with the label config of the answer's time; None leaves today's."""
    if label_config is None:
        return event
    return event | {"project": event["project"] | {"label_config": label_config}}

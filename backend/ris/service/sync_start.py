"""Decide from when a sync reads: what changed since the last one, or everything.

All times are Label Studio's. Its tasks carry the time of their last change, by the clock of the server that
wrote them. A bulk deletion writes its server's local time without a zone, hours off where that is not UTC: so
the watermark is the newest change that is not in the future by Label Studio's clock. It is never that clock's
own time, which the servers that write tasks need not share.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from ris.labelstudio.api.changes import find_newest_change, read_recent_tasks
from ris.labelstudio.api.protocol import LabelStudioApi
from ris.labelstudio.api.sync import ProjectState
from ris.store.sync_states import SyncPosition

# A change is seen when it is committed, with the time from before: several servers differ by seconds.
SYNC_OVERLAP = timedelta(minutes=1)
COMPARE_ALL_INTERVAL = timedelta(days=1)
_CLOCK_TOLERANCE = timedelta(seconds=10)  # Label Studio tells whole seconds, and its servers differ by some


@dataclass(frozen=True, slots=True)
class SyncStart:
    """From when a sync reads, and where it will have ended.

    Attributes:
        since: read the tasks that changed since then; None reads all answers.
        has_changes: whether any task changed since the last sync.
        watermark: all changes until then will have been read; None if no task was ever changed.
        digest: of the tasks that changed from shortly before the watermark.
        config_digest: of the label config.
    """

    since: datetime | None
    has_changes: bool
    watermark: datetime | None
    digest: str
    config_digest: str

    def make_position(self, key: str, compared_at: datetime) -> SyncPosition:
        """Return where the sync ended that started here."""
        return SyncPosition(key, self.watermark, self.digest, self.config_digest, compared_at)


def find_sync_start(
    api: LabelStudioApi, project: ProjectState, last: SyncPosition | None, *, now: datetime
) -> SyncStart:
    """Find from when a sync of a project reads.

    Everything is read if it never was, not for a day, if the label config is another one, with which failed
    answers may be read, and if Label Studio's clock was set back.

    Args:
        api: Label Studio.
        project: the project.
        last: where the last sync ended; None if there was none.
        now: our time, in UTC.

    Raises:
        LabelStudioError: Label Studio did not answer, refused, or its answer cannot be read.
    """
    number, server_time = int(project.body["id"]), api.read_server_time()
    label_config = str(project.body.get("label_config") or "")
    config_digest = hashlib.sha256(label_config.encode("utf-8", "replace")).hexdigest()
    since = _find_since(last, config_digest, server_time, now)
    if last is not None and since is not None:
        recent = read_recent_tasks(api, number, since)
        if recent.digest == last.digest or recent.newest is None:  # None: the newest task was deleted
            has_changes = recent.digest != last.digest
            return SyncStart(since, has_changes, last.watermark, recent.digest, config_digest)
    until = None if server_time is None else server_time + _CLOCK_TOLERANCE
    watermark = find_newest_change(api, number, until)
    if watermark is None:
        return SyncStart(since, True, None, "", config_digest)
    # Read before the answers are: what changes after this is news to the next sync.
    digest = read_recent_tasks(api, number, watermark - SYNC_OVERLAP).digest
    return SyncStart(since, True, watermark, digest, config_digest)


def _find_since(
    last: SyncPosition | None, config_digest: str, server_time: datetime | None, now: datetime
) -> datetime | None:
    if last is None or last.watermark is None or last.config_digest != config_digest:
        return None
    age = now - last.compared_at
    if not timedelta(0) <= age < COMPARE_ALL_INTERVAL:
        return None
    since = last.watermark - SYNC_OVERLAP
    return None if server_time is not None and server_time < since else since

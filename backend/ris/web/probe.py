"""Ask the database for its state, within a second even if it never answers."""

from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

from ris.errors import BackendError
from ris.service import RecordingService, SuggestionService

_ANSWER_WITHIN_S = 1.0


class DatabaseProbe:
    """One thread that asks the database; who asks meanwhile shares its answer."""

    def __init__(self, suggesting: SuggestionService, recording: RecordingService) -> None:
        self._suggesting, self._recording = suggesting, recording
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="probe")
        self._question: Future[tuple[str, str]] | None = None
        self._lock = Lock()

    def read(self) -> tuple[str, str]:
        """Return the state of the database, "ready" or what is wrong, and the version of the suggestions."""
        with self._lock:
            if self._question is None or self._question.done():
                self._question = self._pool.submit(self._ask)
            question = self._question
        try:
            return question.result(timeout=_ANSWER_WITHIN_S)
        except TimeoutError:
            return "the database does not answer", self._suggesting.base_version

    def _ask(self) -> tuple[str, str]:
        try:
            version = self._suggesting.version
            self._recording.check_inbox()
        except BackendError as error:
            return str(error), self._suggesting.base_version
        return "ready", version

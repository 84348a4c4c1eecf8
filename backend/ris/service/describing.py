"""A describer that caches its answers in SQL, and is not called for a while after it failed."""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from threading import Lock

from numpy.typing import NDArray

from ris.core.types import Image
from ris.errors import DescriberError
from ris.referring.protocols import Describer
from ris.store.descriptions import add_descriptions, find_descriptions
from ris.store.session import Database

log = logging.getLogger(__name__)

DESCRIBER_RETRY_DELAY_S = 60.0


class CachingDescriber:
    """A `referring.protocols.Describer` that caches the answers of another one.

    After a failure the other describer is not called for DESCRIBER_RETRY_DELAY_S: LGD is skipped at once,
    instead of after one more timeout for each task.

    Args:
        database: holds the cached answers.
        describer: the describer to call.
        now: the clock, in UTC.
        monotonic: a monotonic clock, in seconds.
    """

    def __init__(
        self,
        database: Database,
        describer: Describer,
        *,
        now: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.database, self.describer, self.model = database, describer, describer.model
        self.now, self.monotonic = now, monotonic
        self._lock = Lock()
        self._skipped_until = 0.0
        self._skipped_reason = ""

    def look(self, image: Image) -> NDArray:
        """Return what the other describer sees of an image, for `describe`."""
        return self.describer.look(image)

    def describe(self, digest: str, looked: NDArray, prompts: Sequence[str]) -> list[str]:
        """Return one answer for each prompt: the cached one, or that of the other describer.

        Args:
            digest: SHA-256 of the image's file.
            looked: the result of `look` for the image.
            prompts: in any number; equal prompts are asked once.

        Raises:
            DescriberError: the other describer failed, now or within DESCRIBER_RETRY_DELAY_S.
        """
        with self.database.begin() as session:
            known = find_descriptions(session, digest, self.model, prompts)
        missing = [prompt for prompt in dict.fromkeys(prompts) if prompt not in known]
        if missing:
            answers = dict(zip(missing, self._ask(digest, looked, missing), strict=True))
            with self.database.begin() as session:
                add_descriptions(session, digest, self.model, answers, now=self.now())
            known |= answers
        return [known[prompt] for prompt in prompts]

    def _ask(self, digest: str, looked: NDArray, prompts: Sequence[str]) -> list[str]:
        with self._lock:
            rest_s, reason = self._skipped_until - self.monotonic(), self._skipped_reason
        if rest_s > 0:
            raise DescriberError(f"{reason}; it is called again in {rest_s:.0f} s")
        try:
            return self.describer.describe(digest, looked, prompts)
        except DescriberError as error:
            log.warning("LGD is skipped: %s", error)
            with self._lock:
                self._skipped_until = self.monotonic() + DESCRIBER_RETRY_DELAY_S
                self._skipped_reason = str(error)
            raise

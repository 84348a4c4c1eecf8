"""A describer that remembers in SQL, and that is left alone for a while when it is down."""

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
    """A `referring.protocols.Describer` around another one.

    What was said once of an image is not asked again. After a failure the other is not asked for a
    minute: LGD goes without a say at once, instead of after another timeout for each task.

    Args:
        describer: who is asked.
        now: the clock, in UTC.
        monotonic: seconds that never run backwards.
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
        """As the other does."""
        return self.describer.look(image)

    def describe(self, digest: str, looked: NDArray, prompts: Sequence[str]) -> list[str]:
        """What is remembered, and for the rest what the other says now.

        Raises:
            DescriberError: the other cannot be asked, or could not be a moment ago.
        """
        with self.database.begin() as session:
            known = find_descriptions(session, digest, self.model, prompts)
        missing = [prompt for prompt in dict.fromkeys(prompts) if prompt not in known]
        if missing:
            said = dict(zip(missing, self._ask(digest, looked, missing), strict=True))
            with self.database.begin() as session:
                add_descriptions(session, digest, self.model, said, now=self.now())
            known |= said
        return [known[prompt] for prompt in prompts]

    def _ask(self, digest: str, looked: NDArray, prompts: Sequence[str]) -> list[str]:
        with self._lock:
            left_s, why = self._skipped_until - self.monotonic(), self._skipped_reason
        if left_s > 0:
            raise DescriberError(f"{why}; it is asked again in {left_s:.0f} s")
        try:
            return self.describer.describe(digest, looked, prompts)
        except DescriberError as error:
            log.warning("LGD goes without a say: %s", error)
            with self._lock:
                self._skipped_until, self._skipped_reason = (
                    self.monotonic() + DESCRIBER_RETRY_DELAY_S,
                    str(error),
                )
            raise

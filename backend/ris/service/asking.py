"""A vision-language model whose answers are cached in SQL."""

from collections.abc import Callable
from datetime import datetime

from ris.referring.grounding.question import Question, Reply
from ris.referring.grounding.usage import VlmUsage
from ris.referring.protocols import VisionModel
from ris.store.session import Database
from ris.store.vlm_answers import add_vlm_answer, find_vlm_answer


class CachingModel:
    """A `referring.protocols.VisionModel` that caches the answers of another one by what is really sent.

    Args:
        database: holds the cached answers.
        inner: the model to ask.
        usage: counts the lookups.
        now: the clock, in UTC.
    """

    def __init__(
        self, database: Database, inner: VisionModel, usage: VlmUsage, *, now: Callable[[], datetime]
    ) -> None:
        self.database, self.inner, self.model = database, inner, inner.model
        self.usage, self.now = usage, now

    def ask(self, question: Question) -> Reply:
        """Return the cached answer to a question, or ask the other model.

        Raises:
            EndpointError: the other model failed, or may not be called now.
            StoreError: the database failed.
        """
        digest = question.compute_digest(self.model)
        with self.database.begin() as session:
            known = find_vlm_answer(session, digest)
        self.usage.count_lookup(is_hit=known is not None)
        if known is not None:
            return known
        reply = self.inner.ask(question)
        with self.database.begin() as session:
            add_vlm_answer(session, digest, self.model, reply, now=self.now())
        return reply

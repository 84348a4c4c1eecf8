"""The cached answers of vision-language models."""

from datetime import datetime

from sqlalchemy.orm import Session

from ris.referring.grounding.question import Reply
from ris.store.records import add_once
from ris.store.schema import VlmAnswerRow


def find_vlm_answer(session: Session, digest: str) -> Reply | None:
    """Find the cached answer to what was sent; None without one.

    Args:
        session: of the database.
        digest: from `Question.compute_digest`.
    """
    row = session.get(VlmAnswerRow, digest)
    return None if row is None else Reply(row.answer, row.is_cut, row.tokens_in, row.tokens_out)


def add_vlm_answer(session: Session, digest: str, model: str, reply: Reply, *, now: datetime) -> None:
    """Store an answer to what was sent; an existing one stays."""
    add_once(
        session, VlmAnswerRow, digest=digest, model=model, answer=reply.text, is_cut=reply.is_cut,
        tokens_in=reply.tokens_in, tokens_out=reply.tokens_out, answered_at=now,
    )  # fmt: skip

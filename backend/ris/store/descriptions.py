"""The cached answers of describers."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ris.store.records import add_once
from ris.store.schema import DescriptionRow


def find_descriptions(session: Session, digest: str, model: str, prompts: Sequence[str]) -> dict[str, str]:
    """Return the cached answers of a model for an image, by prompt; other prompts are missing."""
    by_hash = {_hash_prompt(model, prompt): prompt for prompt in prompts}
    rows = session.scalars(
        select(DescriptionRow).where(DescriptionRow.digest == digest, DescriptionRow.asked.in_(by_hash))
    )
    return {by_hash[row.asked]: row.said for row in rows}


def add_descriptions(
    session: Session, digest: str, model: str, answers: Mapping[str, str], *, now: datetime
) -> None:
    """Store the answers of a model for an image, by prompt; existing ones stay."""
    for prompt, answer in answers.items():
        add_once(
            session, DescriptionRow, digest=digest, asked=_hash_prompt(model, prompt), model=model,
            prompt=prompt, said=answer, said_at=now,
        )  # fmt: skip


def _hash_prompt(model: str, prompt: str) -> str:
    return hashlib.sha256(json.dumps([model, prompt]).encode()).hexdigest()

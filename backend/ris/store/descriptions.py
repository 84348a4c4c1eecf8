"""What describers said, so that nobody is asked the same twice."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ris.store.records import add_once
from ris.store.schema import DescriptionRow


def find_descriptions(session: Session, digest: str, model: str, prompts: Sequence[str]) -> dict[str, str]:
    """By prompt, what this model said of this image; prompts that it was not asked are missing."""
    asked = {_hash_prompt(model, prompt): prompt for prompt in prompts}
    rows = session.scalars(
        select(DescriptionRow).where(DescriptionRow.digest == digest, DescriptionRow.asked.in_(asked))
    )
    return {asked[row.asked]: row.said for row in rows}


def add_descriptions(
    session: Session, digest: str, model: str, said: Mapping[str, str], *, now: datetime
) -> None:
    """Keep what a model said of an image, by prompt; what is kept already stays."""
    for prompt, answer in said.items():
        add_once(
            session, DescriptionRow, digest=digest, asked=_hash_prompt(model, prompt), model=model,
            prompt=prompt,
            said=answer, said_at=now,
        )  # fmt: skip


def _hash_prompt(model: str, prompt: str) -> str:
    return hashlib.sha256(json.dumps([model, prompt]).encode()).hexdigest()

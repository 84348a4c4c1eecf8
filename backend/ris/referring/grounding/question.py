"""What is asked of a vision-language model, and what it answers."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One question about one picture.

    Attributes:
        picture: a JPEG file, exactly as it is sent, with all marks that were drawn on it.
        prompt: the text.
        task: what calls are counted by: the image and the expression that the question serves.
        max_tokens: longest answer.
        schema: a JSON schema that the answer must fit, where the server can hold the model to one; None for
            free text.
    """

    picture: bytes
    prompt: str
    task: str
    max_tokens: int = 512
    schema: Mapping[str, Any] | None = None

    def compute_digest(self, model: str) -> str:
        """Compute the SHA-256 of everything that an answer depends on: the key of the cached answer."""
        parameters = [model, self.prompt, self.max_tokens, self.schema]
        content = json.dumps(parameters, sort_keys=True).encode()
        return hashlib.sha256(hashlib.sha256(self.picture).digest() + content).hexdigest()


@dataclass(frozen=True, slots=True)
class Reply:
    """A model's answer.

    Attributes:
        text: as the model wrote it; without NUL characters, which no database stores.
        is_cut: whether it was cut at `max_tokens`.
        tokens_in, tokens_out: as the server counts them; 0 where it does not.
    """

    text: str
    is_cut: bool = False
    tokens_in: int = 0
    tokens_out: int = 0

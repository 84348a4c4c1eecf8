"""OpenAI's chat completions: the body of a question, and the answer."""

import base64
from typing import Annotated, Any

import msgspec

from ris.referring.grounding.question import Question, Reply


class _Part(msgspec.Struct):
    text: str = ""


class _Message(msgspec.Struct):
    content: str | list[_Part] | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None


class _Tokens(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Completion(msgspec.Struct):
    choices: Annotated[list[_Choice], msgspec.Meta(min_length=1)]
    usage: _Tokens | None = None


def make_body(question: Question, model: str, *, with_schema: bool) -> dict[str, Any]:
    """Make the body of a request: the picture as a data URI, then the prompt; temperature 0."""
    picture = base64.b64encode(question.picture).decode("ascii")
    image = {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{picture}"}}
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": "user", "content": [image, {"type": "text", "text": question.prompt}]}],
        "max_tokens": question.max_tokens,
        "temperature": 0,
    }
    if with_schema and question.schema is not None:
        named = {"name": "answer", "schema": dict(question.schema)}
        body["response_format"] = {"type": "json_schema", "json_schema": named}
    return body


def read_completion(content: bytes) -> Reply:
    """Read the body of an answer.

    Raises:
        ValueError: it is no chat completion.
    """
    try:
        completion = msgspec.json.decode(content, type=_Completion)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise ValueError("no chat completion") from error
    choice, tokens = completion.choices[0], completion.usage or _Tokens()
    said = choice.message.content or ""
    text = said if isinstance(said, str) else "".join(part.text for part in said)
    return Reply(
        text.replace("\0", ""),
        is_cut=choice.finish_reason == "length",
        tokens_in=max(tokens.prompt_tokens or 0, 0),
        tokens_out=max(tokens.completion_tokens or 0, 0),
    )

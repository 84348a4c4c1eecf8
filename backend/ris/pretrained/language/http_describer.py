"""A describer behind HTTP: any endpoint with OpenAI's chat completions API (vLLM, Ollama, cloud services)."""

import base64
import io
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import httpx
import msgspec
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from ris.core.types import Image
from ris.errors import DescriberError
from ris.pretrained.language.describer import shrink_bicubic
from ris.redaction.messages import shorten_message

_RETRIED_STATUSES = frozenset({408, 409, 429, 500, 502, 503, 504})
_MAX_ANSWER_BYTES = 4 * 2**20  # an answer has some hundred words
JPEG_QUALITY = 90


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message


class _Completion(msgspec.Struct):
    choices: Annotated[list[_Choice], msgspec.Meta(min_length=1)]


class HttpDescriber:
    """An OpenAI-compatible endpoint as `referring.protocols.Describer`.

    Args:
        base_url: address up to and including the version, such as http://localhost:8000/v1.
        model: the network's name at the endpoint.
        key: sent as a bearer token; "" sends none.
        timeout_s: time limit of connecting, and of each read and write; the content of an answer has it too.
        retries: number of retries after a broken connection or a temporary error.
        concurrency: largest number of simultaneous requests.
        longest_side: larger images are shrunk to this longest side, in pixels, before they are sent.
        max_new_tokens: longest answer, in tokens.
        pause: waits between two attempts, in seconds; replaced in tests.
    """

    def __init__(
        self,
        base_url: str,
        *,
        model: str,
        key: str = "",
        timeout_s: float = 30.0,
        retries: int = 2,
        concurrency: int = 4,
        longest_side: int = 768,
        max_new_tokens: int = 96,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = f"{base_url.rstrip('/')}/chat/completions"
        self.model, self.retries, self.concurrency = model, retries, concurrency
        self.longest_side, self.max_new_tokens, self.pause = longest_side, max_new_tokens, pause
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.timeout_s = timeout_s
        self.client = httpx.Client(timeout=timeout_s, headers={"Accept-Encoding": "gzip", **headers})

    def look(self, image: Image) -> NDArray[np.uint8]:
        """Encode an image as it will be sent: the bytes of a JPEG file, uint8 [n]."""
        file = io.BytesIO()
        Pillow.fromarray(shrink_bicubic(image.pixels, self.longest_side)).save(
            file, "JPEG", quality=JPEG_QUALITY
        )
        return np.frombuffer(file.getvalue(), np.uint8)

    def describe(self, digest: str, looked: NDArray, prompts: Sequence[str]) -> list[str]:
        """Answer each prompt with one request; requests run in parallel.

        Raises:
            DescriberError: the endpoint did not answer, refused, or sent an answer that cannot be read.
        """
        picture = base64.b64encode(np.asarray(looked, np.uint8).tobytes()).decode("ascii")
        with ThreadPoolExecutor(max_workers=self.concurrency) as pool:
            return list(pool.map(lambda prompt: self._ask(picture, prompt), prompts))

    def _ask(self, picture: str, prompt: str) -> str:
        image = {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{picture}"}}
        body = {
            "model": self.model,
            "messages": [{"role": "user", "content": [image, {"type": "text", "text": prompt}]}],
            "max_tokens": self.max_new_tokens,
            "temperature": 0,
        }
        for attempt in range(self.retries + 1):
            last = attempt == self.retries
            try:
                status, content = self._post(body)
            except (httpx.RequestError, httpx.InvalidURL) as error:  # InvalidURL: of a redirect
                if last:
                    raise DescriberError(
                        f"the describer at {self.url} cannot be reached ({type(error).__name__}); "
                        "is it running?"
                    ) from error
            else:
                if 200 <= status < 300:
                    return self._read_answer(content)
                if last or status not in _RETRIED_STATUSES:
                    raise DescriberError(
                        f"the describer at {self.url} answered {status} for model {self.model!r}; "
                        "check its key, its model and its log"
                    )
            self.pause(2.0**attempt)
        raise AssertionError("the last attempt returns or raises")

    def _post(self, body: object) -> tuple[int, bytes]:
        """Send a request; return the status and the content of its answer. The key follows no redirect."""
        content = bytearray()
        with self.client.stream("POST", self.url, json=body, follow_redirects=False) as answer:
            if answer.has_redirect_location:
                target = shorten_message(answer.headers["Location"])
                raise DescriberError(
                    f"the describer at {self.url} redirects to {target}, and "
                    "neither image nor key is sent there; set RIS_DESCRIBER_URL to where it answers itself"
                )
            until = time.monotonic() + self.timeout_s
            for chunk in answer.iter_bytes():
                content += chunk
                if len(content) > _MAX_ANSWER_BYTES:
                    raise DescriberError(
                        f"the describer at {self.url} sends more than {_MAX_ANSWER_BYTES / 2**20:.0f} MiB"
                    )
                if time.monotonic() > until:
                    raise httpx.ReadTimeout("the answer comes too slowly")
            return answer.status_code, bytes(content)

    def _read_answer(self, content: bytes) -> str:
        try:
            completion = msgspec.json.decode(content, type=_Completion)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise DescriberError(
                f"the answer of the describer at {self.url} is no chat completion; check that the address is "
                "that of an OpenAI-compatible API"
            ) from error
        return completion.choices[0].message.content or ""

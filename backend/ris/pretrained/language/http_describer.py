"""A describer behind HTTP: any endpoint that speaks OpenAI's chat completions (vLLM, Ollama, a cloud's)."""

import base64
import io
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from ris.core.types import Image
from ris.errors import DescriberError
from ris.pretrained.language.describer import shrink_bicubic

_RETRIED_STATUSES = frozenset({408, 409, 429, 500, 502, 503, 504})
JPEG_QUALITY = 90


class HttpDescriber:
    """An OpenAI-compatible endpoint as `referring.protocols.Describer`.

    Args:
        base_url: up to and with the version, such as http://localhost:8000/v1.
        model: what the endpoint calls the network.
        key: sent as a bearer token; "" sends none.
        timeout_s: for each answer.
        retries: how often a refusal that may pass, or a broken connection, is tried again.
        concurrency: at most so many questions are open at once.
        longest_side: larger images are shrunk to this before they are sent.
        pause: what waits between two tries, in seconds.
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
        self.client = httpx.Client(timeout=timeout_s, headers=headers)

    def look(self, image: Image) -> NDArray[np.uint8]:
        """The picture as it will be sent: the bytes of a JPEG, uint8 [n]."""
        file = io.BytesIO()
        Pillow.fromarray(shrink_bicubic(image.pixels, self.longest_side)).save(
            file, "JPEG", quality=JPEG_QUALITY
        )
        return np.frombuffer(file.getvalue(), np.uint8)

    def describe(self, digest: str, looked: NDArray, prompts: Sequence[str]) -> list[str]:
        """One answer a prompt, asked side by side.

        Raises:
            DescriberError: the endpoint did not answer, refused, or said nothing that we understand.
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
                answer = self.client.post(self.url, json=body)
            except httpx.TransportError as error:
                if last:
                    raise DescriberError(
                        f"the describer at {self.url} cannot be reached ({type(error).__name__}); "
                        "is it running?"
                    ) from error
            else:
                if answer.is_success:
                    return self._read_answer(answer)
                if last or answer.status_code not in _RETRIED_STATUSES:
                    raise DescriberError(
                        f"the describer at {self.url} answered {answer.status_code} for model "
                        f"{self.model!r}; check its key, its model and its log"
                    )
            self.pause(2.0**attempt)
        raise AssertionError("the last attempt returns or raises")

    def _read_answer(self, answer: httpx.Response) -> str:
        try:
            return str(answer.json()["choices"][0]["message"]["content"] or "")
        except (ValueError, LookupError, TypeError) as error:
            raise DescriberError(
                f"the describer at {self.url} answered something that is no chat completion"
            ) from error

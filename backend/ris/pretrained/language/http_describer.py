"""A describer behind HTTP: any server with OpenAI's chat completions API (vLLM, Ollama, cloud services)."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from ris.core.types import Image
from ris.errors import DescriberError, EndpointError
from ris.pretrained.endpoint.client import ChatClient
from ris.pretrained.endpoint.picture import encode_jpeg
from ris.pretrained.language.describer import shrink_bicubic
from ris.referring.grounding.question import Question


class HttpDescriber:
    """The client of a vision-language model as `referring.protocols.Describer`.

    Args:
        client: asks the model.
        longest_side: larger images are shrunk to this longest side, in pixels, before they are sent.
        max_new_tokens: longest answer, in tokens.
    """

    def __init__(self, client: ChatClient, *, longest_side: int = 768, max_new_tokens: int = 96) -> None:
        self.client, self.model = client, client.model
        self.longest_side, self.max_new_tokens = longest_side, max_new_tokens

    def look(self, image: Image) -> NDArray[np.uint8]:
        """Encode an image as it will be sent: the bytes of a JPEG file, uint8 [n]."""
        return np.frombuffer(encode_jpeg(shrink_bicubic(image.pixels, self.longest_side)), np.uint8)

    def describe(self, digest: str, looked: NDArray, prompts: Sequence[str]) -> list[str]:
        """Answer each prompt with one request; requests run in parallel.

        Raises:
            DescriberError: the server did not answer, refused, or sent an answer that cannot be read; or
                no further call is allowed.
        """
        picture = np.asarray(looked, np.uint8).tobytes()

        def ask(prompt: str) -> str:
            question = Question(picture, prompt, f"{digest} {prompt}", self.max_new_tokens)
            return self.client.ask(question).text

        try:
            with ThreadPoolExecutor(max_workers=self.client.concurrency) as pool:
                return list(pool.map(ask, prompts))
        except EndpointError as error:
            raise DescriberError(str(error)) from error

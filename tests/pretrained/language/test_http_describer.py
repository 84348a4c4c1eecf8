import base64
import io

import numpy as np
import pytest
from PIL import Image as Pillow

from ris.core.types import Image
from ris.errors import DescriberError
from ris.pretrained.endpoint.client import ChatClient
from ris.pretrained.language.http_describer import HttpDescriber
from tests.builders.vlm_server import VlmServer


@pytest.fixture
def server():
    with VlmServer() as server:
        server.says = str.upper
        yield server


@pytest.fixture
def describer(server):
    return HttpDescriber(ChatClient(server.url, model="llava", retries=0))


def picture(size=(1000, 2000)):
    return Image.from_pixels(np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8))


def test_answers_come_in_the_order_of_the_prompts(describer):
    assert describer.describe("d", describer.look(picture()), ["one", "two", "three"]) == [
        "ONE", "TWO", "THREE",
    ]  # fmt: skip


def test_a_question_carries_a_small_jpeg(describer, server):
    describer.describe("d", describer.look(picture()), ["what?"])

    (asked,) = server.asked
    url = asked["messages"][0]["content"][0]["image_url"]["url"]
    sent = Pillow.open(io.BytesIO(base64.b64decode(url.removeprefix("data:image/jpeg;base64,"))))
    assert (asked["model"], asked["max_tokens"], sent.format, sent.size) == ("llava", 96, "JPEG", (768, 384))


def test_a_server_that_fails_is_an_error_of_the_describer(describer, server):
    server.refusals = [401]

    with pytest.raises(DescriberError, match="the vision-language model at .* answered 401"):
        describer.describe("d", np.zeros(3, np.uint8), ["what?"])


def test_no_prompt_is_no_question(describer, server):
    assert describer.describe("d", np.zeros(3, np.uint8), []) == []
    assert server.asked == []

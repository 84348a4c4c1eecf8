from datetime import UTC, datetime

import numpy as np
import pytest

from ris.core.types import Image
from ris.errors import DescriberError
from ris.service.describing import DESCRIBER_RETRY_DELAY_S, CachingDescriber
from ris.store.session import Database, upgrade_database
from tests.builders.fakes import squares


class Speaker:
    """Answers with the reversed prompt, or fails. It counts its prompts."""

    model = "speaker-1"

    def __init__(self):
        self.asked, self.is_down = [], False

    def look(self, image):
        return np.array([1, 2, 3], np.uint8)

    def describe(self, digest, looked, prompts):
        self.asked += prompts
        if self.is_down:
            raise DescriberError("the speaker is out")
        return [prompt[::-1] for prompt in prompts]


class Watch:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def speaker():
    return Speaker()


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def remembered(tmp_path, speaker, watch):
    url = f"sqlite:///{tmp_path / 'ris.db'}"
    upgrade_database(url)
    database = Database.open(url)
    yield CachingDescriber(database, speaker, now=lambda: datetime(2026, 1, 2, tzinfo=UTC), monotonic=watch)
    database.close()


def ask(remembered, *prompts, digest="ab" * 32):
    return remembered.describe(digest, np.zeros(1, np.uint8), prompts)


def test_answers_come_in_the_order_of_the_prompts(remembered):
    assert ask(remembered, "one", "two", "one") == ["eno", "owt", "eno"]


def test_nobody_is_asked_twice_of_one_image(remembered, speaker):
    ask(remembered, "one", "two")
    ask(remembered, "two", "three")
    ask(remembered, "one", digest="cd" * 32)

    assert speaker.asked == ["one", "two", "three", "one"]


def test_after_a_failure_the_describer_rests_and_the_reason_stays(remembered, speaker, watch):
    speaker.is_down = True
    with pytest.raises(DescriberError, match="^the speaker is out$"):
        ask(remembered, "one")
    watch.now += DESCRIBER_RETRY_DELAY_S / 2
    with pytest.raises(DescriberError, match="the speaker is out; it is called again in 30 s"):
        ask(remembered, "one")

    assert speaker.asked == ["one"]


def test_after_its_rest_it_is_asked_again(remembered, speaker, watch):
    speaker.is_down = True
    with pytest.raises(DescriberError):
        ask(remembered, "one")
    speaker.is_down = False
    watch.now += DESCRIBER_RETRY_DELAY_S + 1

    assert ask(remembered, "one") == ["eno"]


def test_what_is_remembered_is_told_while_it_rests(remembered, speaker):
    ask(remembered, "one")
    speaker.is_down = True
    with pytest.raises(DescriberError):
        ask(remembered, "two")

    assert ask(remembered, "one") == ["eno"]


def test_looking_is_left_to_the_describer(remembered):
    assert remembered.look(Image.from_pixels(squares())).tolist() == [1, 2, 3]

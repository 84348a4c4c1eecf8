from datetime import UTC, datetime

import pytest

from ris.errors import EndpointError
from ris.referring.grounding.question import Question, Reply
from ris.referring.grounding.usage import VlmUsage
from ris.service.asking import CachingModel
from ris.store.session import Database


class Parrot:
    """Answers with the prompt reversed, or fails. It counts its questions."""

    model = "parrot-1"

    def __init__(self):
        self.asked, self.is_down = [], False

    def ask(self, question):
        self.asked.append(question.prompt)
        if self.is_down:
            raise EndpointError("the parrot is out")
        return Reply(question.prompt[::-1], True, 3, 4)


@pytest.fixture
def parrot():
    return Parrot()


@pytest.fixture
def caching(url, parrot):
    database = Database.open(url)
    yield CachingModel(database, parrot, VlmUsage(), now=lambda: datetime(2026, 1, 2, tzinfo=UTC))
    database.close()


def test_what_was_sent_once_is_not_sent_again(caching, parrot):
    first = caching.ask(Question(b"p", "what", "t"))

    assert first == caching.ask(Question(b"p", "what", "another task")) == Reply("tahw", True, 3, 4)
    assert (parrot.asked, caching.usage.lookups) == (["what"], {"hit": 1, "miss": 1})


def test_another_picture_of_the_same_image_is_another_question(caching, parrot):
    caching.ask(Question(b"p", "what", "t"))
    caching.ask(Question(b"p with marks", "what", "t"))

    assert parrot.asked == ["what", "what"]


def test_a_failure_is_not_cached(caching, parrot):
    parrot.is_down = True
    with pytest.raises(EndpointError):
        caching.ask(Question(b"p", "what", "t"))
    parrot.is_down = False

    assert caching.ask(Question(b"p", "what", "t")).text == "tahw"

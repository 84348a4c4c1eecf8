"""The question to the database has an answer in time, even if the database has none."""

import threading

from ris.errors import StoreError
from ris.web.probe import DatabaseProbe


class Suggesting:
    """Has a version once `answers` is set; counts the questions."""

    base_version = "base-1"

    def __init__(self):
        self.answers, self.n_questions = threading.Event(), 0

    @property
    def version(self):
        self.n_questions += 1
        self.answers.wait()
        return "learned-2"


class Recording:
    refusal = None

    def check_inbox(self):
        if self.refusal:
            raise self.refusal


def test_a_database_that_never_answers_is_asked_once_and_said_to_everybody():
    suggesting = Suggesting()
    probe = DatabaseProbe(suggesting, Recording())
    asked = [probe.read() for _ in range(2)]
    n_questions = suggesting.n_questions
    suggesting.answers.set()
    probe._question.result()

    assert asked == [("the database does not answer", "base-1")] * 2
    assert n_questions == 1
    assert probe.read() == ("ready", "learned-2")


def test_a_database_that_takes_no_event_is_not_ready():
    suggesting, recording = Suggesting(), Recording()
    suggesting.answers.set()
    recording.refusal = StoreError("the database refused: database is locked")

    assert DatabaseProbe(suggesting, recording).read() == (
        "the database refused: database is locked", "base-1",
    )  # fmt: skip

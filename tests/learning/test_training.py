"""From decisions in SQL to a version in use, over the service of the fakes."""

import numpy as np
import pytest

from ris.core import rle
from ris.core.types import (
    Alternative,
    Annotation,
    Correction,
    MethodScore,
    MethodScores,
    Suggestion,
    Task,
    Verdict,
)
from ris.errors import InputError
from ris.learning.training import TrainingService
from ris.referring.ranking import RankingSettings
from ris.store.learned_rankings import find_learned_rankings, find_ranking_in_use
from ris.store.records import add_alternatives, add_correction
from tests.builders.masks import rectangle
from tests.builders.services import NOW

SIZE = (8, 40)
MASKS = [rle.encode_rle(rectangle(SIZE, 8 * i, 0, 8 * i + 6, 8)) for i in range(5)]
PROJECT = "1.1700000000"


def keep(session, number, *, version="v1", project=PROJECT, scores=None):
    """One accepted answer: "eyes" knows it, "ears" says anything and is louder."""
    rng = np.random.default_rng(number)
    right = int(rng.integers(5))
    task = Task(number, project, f"/{number // 2}.png", "the mug")
    opinions = [
        MethodScores("eyes", (rng.normal(size=5) + 3 * (np.arange(5) == right)).astype(np.float32)),
        MethodScores("ears", (3 * rng.normal(size=5)).astype(np.float32)),
    ]
    offer = Alternative(
        f"r{number}", Suggestion(0, 0.5, MASKS[right], (0, 0, 1, 1), {"eyes": MethodScore(1, 0)}, version)
    )
    add_alternatives(
        session, task, f"{number // 2:064d}", SIZE, [offer], version=version, method_scores=opinions,
        proposals=MASKS, now=NOW,
    )  # fmt: skip
    answer = Annotation(number, task, NOW, MASKS[right], (f"r{number}",))
    correction = Correction(answer, Verdict.ACCEPTED, rank=0, iou=1.0)
    add_correction(session, correction, version=version, event_id=None, now=NOW)


@pytest.fixture
def training(database):
    return TrainingService(database, "v1", RankingSettings(), now=lambda: NOW)


@pytest.fixture
def decided(database):
    with database.begin() as session:
        for number in range(1, 101):
            keep(session, number)


def used(training):
    with training.database.begin() as session:
        found = find_ranking_in_use(session, "v1")
        return found.version if found else None


def test_training_puts_a_better_version_into_use(training, decided):
    trained = training.train()

    assert trained.version.startswith("v1-")
    assert used(training) == trained.version
    (kept,) = find_learned_rankings(training.database.begin().__enter__())
    assert kept.coefficients.fusion.weights["eyes"] > 0.8
    assert kept.figures["decisions"] == 100


def test_training_again_on_the_same_changes_nothing(training, decided):
    first = training.train()

    assert training.train().version is None
    assert used(training) == first.version


def test_without_decisions_nothing_changes_and_why_is_said(training):
    trained = training.train()

    assert (trained.version, used(training)) == (None, None)
    assert "0 decisions" in trained.fit_result.summary[0]


def test_what_other_networks_ranked_teaches_nothing(training, database):
    with database.begin() as session:
        for number in range(1, 11):
            keep(session, number, version="v2")
            keep(session, 100 + number, version="v1-abcdef")
            keep(session, 200 + number, project="2.1700000000")

    assert len(training.find_cases()) == 20
    assert len(training.find_cases(project=PROJECT)) == 10


def test_one_can_go_back_to_the_preset_and_forward_again(training, decided):
    version = training.train().version

    training.use_version("v1")
    assert used(training) is None
    training.use_version(version)
    assert used(training) == version


def test_a_version_that_is_not_there_is_refused_with_those_that_are(training):
    with pytest.raises(InputError, match="there is no version 'v9'; there are v1"):
        training.use_version("v9")


def test_start_training_trains_in_the_background_once(training, decided):
    assert training.start()
    training.close()

    assert used(training) is not None
    assert training.summary[0].endswith(": kept")

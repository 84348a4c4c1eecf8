"""From the record of decisions to a new version in use: for `ris learn` and Label Studio's Start Training."""

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from threading import Lock, Thread
from typing import TYPE_CHECKING

from ris.errors import BackendError, InputError
from ris.learning.case import TrainingCase, make_training_case
from ris.referring.ranking import RankingSettings
from ris.store.history import read_decisions
from ris.store.learned_rankings import (
    LearnedRanking,
    add_learned_ranking,
    find_learned_rankings,
    find_ranking_in_use,
    set_version_in_use,
)
from ris.store.records import find_explanations, find_proposals
from ris.store.session import Database

if TYPE_CHECKING:
    from ris.learning.learner import FitResult

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What a training came to.

    Attributes:
        version: in use from now on; None when nothing was taken.
    """

    fit_result: "FitResult"
    version: str | None


class TrainingService:
    """Learns for one base: what a preset's networks and settings are called.

    Args:
        base: decisions on what other networks ranked teach nothing of these.
        ranking: the preset's own.
        now: the clock, in UTC.
    """

    def __init__(
        self, database: Database, base: str, ranking: RankingSettings, *, now: Callable[[], datetime]
    ) -> None:
        self.database, self.base, self.ranking, self.now = database, base, ranking, now
        self.summary: tuple[str, ...] = ()  # of the last training, for people to look at
        self._lock = Lock()
        self._thread: Thread | None = None

    def train(self, *, project: str | None = None) -> TrainingResult:
        """Learn from all decisions, or one project's; what is better is in use at once.

        Raises:
            StoreError: the database cannot be read or written.
        """
        from ris.learning.learner import (
            fit_coefficients,  # here: scikit-learn takes a second, /health must not wait
        )

        prior = self.ranking.coefficients
        with self.database.begin() as session:
            used = find_ranking_in_use(session, self.base)
        finding = fit_coefficients(
            self.find_cases(project=project), prior=prior, current=used.coefficients if used else prior
        )
        self.summary = finding.summary
        if finding.coefficients is None:
            return TrainingResult(finding, None)
        found = finding.coefficients
        said = json.dumps(asdict(found), sort_keys=True, default=dict)
        version = f"{self.base}-{hashlib.sha256(said.encode()).hexdigest()[:6]}"
        with self.database.begin() as session:
            add_learned_ranking(
                session, LearnedRanking(version, self.base, found, finding.figures, self.now())
            )
            set_version_in_use(session, self.base, version, now=self.now())
        return TrainingResult(finding, version)

    def find_cases(self, *, project: str | None = None) -> list[TrainingCase]:
        """What there is to learn from."""
        found: list[TrainingCase] = []
        with self.database.begin() as session:
            for decision in read_decisions(session, project=project):
                version = decision.version
                if version is None or not (version == self.base or version.startswith(f"{self.base}-")):
                    continue
                task = decision.correction.annotation.task
                scores = {e.method: e.scores for e in find_explanations(session, task, version)}
                case = make_training_case(
                    decision, find_proposals(session, task, version), scores, self.ranking
                )
                found += [case] if case else []
        return found

    def use_version(self, version: str) -> None:
        """Go back, or forward, to a version of this base; the base's own name drops what was learned.

        Raises:
            InputError: there is no such version.
        """
        with self.database.begin() as session:
            known = [
                self.base,
                *(one.version for one in find_learned_rankings(session) if one.base == self.base),
            ]
            if version not in known:
                raise InputError(f"there is no version {version!r}; there are {', '.join(known)}")
            set_version_in_use(session, self.base, version, now=self.now())

    def start(self) -> bool:
        """Train in a thread of its own; False when one is at it already."""
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return False
            self._thread = Thread(target=self._run, name="training", daemon=True)
            self._thread.start()
            return True

    def _run(self) -> None:
        try:
            trained = self.train()
        except BackendError as error:
            log.warning("training: %s", error)
        except Exception:
            log.exception("the training failed inside")
        else:
            log.info(
                "training: %s; %s", "; ".join(trained.fit_result.summary), trained.version or "nothing taken"
            )

    def close(self) -> None:
        """Wait for a training that is under way."""
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(timeout=60)

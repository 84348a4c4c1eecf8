"""Training: from stored decisions to a learned ranking in use, for `ris learn` and Label Studio."""

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
from ris.store.history import find_decisions
from ris.store.learned_rankings import (
    LearnedRanking,
    add_learned_ranking,
    find_learned_rankings,
    find_ranking_in_use,
    set_version_in_use,
)
from ris.store.ranked_proposals import find_newest_ranked_decisions, find_ranked_proposals
from ris.store.session import Database

if TYPE_CHECKING:
    from ris.learning.learner import FitResult

log = logging.getLogger(__name__)

MAX_TRAINING_DECISIONS = 20_000  # the newest ones; weights of a few methods gain nothing from more
_DECISIONS_PER_PAGE = 100  # whose proposals are in memory at once


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """The result of a training.

    Attributes:
        fit_result: coefficients, summary and figures.
        version: of the learned ranking that is in use from now on; None when none was accepted.
    """

    fit_result: "FitResult"
    version: str | None


class TrainingService:
    """Learns rankings for the networks and methods of one preset.

    Args:
        database: the decisions, and the learned rankings.
        base: the version of the networks and methods. Only decisions on suggestions of this version, or of
            rankings learned for it, are used.
        ranking: the preset's own.
        now: the clock, in UTC.
    """

    def __init__(
        self, database: Database, base: str, ranking: RankingSettings, *, now: Callable[[], datetime]
    ) -> None:
        self.database, self.base, self.ranking, self.now = database, base, ranking, now
        self.summary: tuple[str, ...] = ()  # of the last training, for people
        self._lock = Lock()
        self._thread: Thread | None = None

    def train(self, *, project: str | None = None) -> TrainingResult:
        """Learn from decisions, and use the learned ranking at once if it is better.

        Args:
            project: key of the only project to learn from; None for all projects.

        Raises:
            StoreError: the database cannot be read or written.
        """
        # Imported here: scikit-learn takes a second, and /health must not wait for it.
        from ris.learning.learner import fit_coefficients

        prior = self.ranking.coefficients
        with self.database.begin() as session:
            used = find_ranking_in_use(session, self.base)
        result = fit_coefficients(
            self.find_cases(project=project), prior=prior, current=used.coefficients if used else prior
        )
        self.summary = result.summary
        if result.coefficients is None:
            return TrainingResult(result, None)
        content = json.dumps(asdict(result.coefficients), sort_keys=True, default=dict)
        version = f"{self.base}-{hashlib.sha256(content.encode()).hexdigest()[:6]}"
        learned = LearnedRanking(version, self.base, result.coefficients, result.figures, self.now())
        with self.database.begin() as session:
            add_learned_ranking(session, learned)
            set_version_in_use(session, self.base, version, now=self.now())
        return TrainingResult(result, version)

    def find_cases(self, *, project: str | None = None) -> list[TrainingCase]:
        """Find the training cases of the newest 20,000 decisions: of all projects, or of one."""
        found: list[TrainingCase] = []
        with self.database.begin() as session:
            newest = find_newest_ranked_decisions(session, self.base, MAX_TRAINING_DECISIONS, project=project)
            row_ids = sorted(newest)
            for start in range(0, len(row_ids), _DECISIONS_PER_PAGE):
                decisions = find_decisions(session, row_ids[start : start + _DECISIONS_PER_PAGE])
                for decision, ranked in zip(
                    decisions, find_ranked_proposals(session, decisions), strict=True
                ):
                    if ranked is None:
                        continue
                    case = make_training_case(
                        decision,
                        ranked.masks,
                        ranked.scores,
                        self.ranking,
                        late=ranked.late,
                        absence=ranked.absence,
                    )
                    found += [case] if case else []
        return found

    def use_version(self, version: str) -> None:
        """Use a learned ranking of this base, or the preset's own.

        Args:
            version: of the learned ranking; the base itself for the preset's own.

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
        """Start a training in a thread; False when one is running already."""
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
            log.exception("the training failed")
        else:
            log.info(
                "training: %s; %s",
                "; ".join(trained.fit_result.summary),
                f"in use now: {trained.version}" if trained.version else "no new version",
            )

    def close(self) -> None:
        """Wait up to 60 s for a training that is running."""
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(timeout=60)

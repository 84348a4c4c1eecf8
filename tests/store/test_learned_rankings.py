from datetime import UTC, datetime

from ris.referring.absence import AbsenceModel
from ris.referring.ranking import Calibration, Coefficients, Fusion
from ris.store.learned_rankings import (
    LearnedRanking,
    add_learned_ranking,
    find_learned_rankings,
    find_ranking_in_use,
    set_version_in_use,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
COEFFICIENTS = Coefficients(
    Fusion({"lgd": 20.0}, {"lgd": 0.25}),
    {"relation": Fusion({"lgd": 1 / 3}, {"lgd": 0.0})},
    Calibration(1.5, -0.1),
    AbsenceModel(-2.0, {"grounder": 1.25}),
)


def learned(version, base="tiny-1", coefficients=COEFFICIENTS):
    return LearnedRanking(version, base, coefficients, {"first": {"mean": 0.7}}, NOW)


def test_what_was_learned_comes_back_exactly_once(database):
    plain = Coefficients(Fusion())
    with database.begin() as session:
        for version in (learned("tiny-1-a"), learned("tiny-1-b", coefficients=plain), learned("tiny-1-a")):
            add_learned_ranking(session, version)

    with database.begin() as session:
        assert find_learned_rankings(session) == [
            learned("tiny-1-a"),
            learned("tiny-1-b", coefficients=plain),
        ]


def test_the_version_used_last_counts_and_the_base_goes_back_to_nothing_learned(database):
    with database.begin() as session:
        for version in ("tiny-1-a", "tiny-1-b"):
            add_learned_ranking(session, learned(version))
    seen = []
    for version in (None, "tiny-1-a", "tiny-1-b", "tiny-1-a", "tiny-1"):
        with database.begin() as session:
            if version:
                set_version_in_use(session, "tiny-1", version, now=NOW)
            found = find_ranking_in_use(session, "tiny-1")
            seen.append(found.version if found else None)

    assert seen == [None, "tiny-1-a", "tiny-1-b", "tiny-1-a", None]


def test_what_was_learned_for_other_networks_is_not_used(database):
    with database.begin() as session:
        add_learned_ranking(session, learned("tiny-1-a"))
        set_version_in_use(session, "tiny-1", "tiny-1-a", now=NOW)

    with database.begin() as session:
        assert find_ranking_in_use(session, "tiny-2") is None

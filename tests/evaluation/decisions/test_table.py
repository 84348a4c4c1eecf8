"""Every figure of the tables is that of the oracle, which looks at one decision with its masks at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from benchmarks.records import fill_database
from ris.core.types import Edit, Verdict
from ris.evaluation.decisions.comparisons import compare_methods, compute_calibration, measure_position_bias
from ris.evaluation.decisions.metrics import compute_decision_metrics
from ris.evaluation.decisions.table import GROUP_KEYS, make_decision_table
from ris.store.history import read_decisions
from ris.store.judged import fill_comparisons, read_judged_answers
from ris.store.schema import CorrectionRow
from ris.store.session import Database
from tests.builders import oracle
from tests.builders.evaluated import EVERYTHING, HALF, LEFT, MONDAY, RIGHT, make_decision, offer, to_table
from tests.builders.masks import rectangle


def to_tuple(share):
    return share.mean, share.low, share.high, share.count


def approximately(expected):
    return pytest.approx(expected, abs=1e-6, nan_ok=True)


def check_figures(table, judged):
    metrics = compute_decision_metrics(table)
    expected = oracle.compute_shares(judged)
    assert metrics.shares.keys() == expected.keys()
    for name, share in metrics.shares.items():
        assert to_tuple(share) == approximately(expected[name]), name
    assert metrics.o_iou == pytest.approx(oracle.compute_o_iou(judged))
    for method, (own, gain) in oracle.compare_methods(judged).items():
        found = compare_methods(table)[method]
        assert (to_tuple(found[0]), to_tuple(found[1])) == (approximately(own), approximately(gain))
    bias = [(place, to_tuple(one), to_tuple(two)) for place, one, two in measure_position_bias(table)]
    assert bias == [
        (place, approximately(one), approximately(two))
        for place, one, two in oracle.measure_position_bias(judged)
    ]
    assert [approximately(row) for row in compute_calibration(table)] == oracle.compute_calibration(judged)


OFFERS = [
    (),
    (offer(0, LEFT, lgd=0, iterprime=3), offer(1, RIGHT, lgd=2, iterprime=0)),
    (offer(0, HALF, lgd=1), offer(1, LEFT, lgd=1), offer(2, RIGHT, spatial=0)),
    (offer(0, rectangle((20, 20), 0, 0, 4, 10), lgd=0),),
]


@st.composite
def decisions(draw):
    verdict, shown = draw(st.sampled_from(list(Verdict))), draw(st.sampled_from(OFFERS))
    places = draw(st.permutations(range(len(shown))))
    if draw(st.booleans()):
        shown = tuple(
            type(one)(one.region_id, one.suggestion, place) for one, place in zip(shown, places, strict=True)
        )
    is_ranked = verdict in (Verdict.ACCEPTED, Verdict.EDITED) and shown
    return make_decision(
        verdict, draw(st.sampled_from([LEFT, RIGHT, HALF])) if verdict.has_mask else None, offers=shown,
        rank=draw(st.integers(0, len(shown) - 1)) if is_ranked else None,
        number=draw(st.integers(1, 9)), image=draw(st.sampled_from("abcd")),
        digest=draw(st.sampled_from(["x", "y", None])), iou=draw(st.sampled_from([None, 0.25, 1.0])),
        edit=Edit(draw(st.integers(0, 9)), 3, 0.5) if verdict is Verdict.EDITED else None,
        annotator=draw(st.sampled_from([None, 1, 12])), lead_time_s=draw(st.sampled_from([None, 0.0, 4.5])),
        expression=draw(st.sampled_from(["left mug", "the mug", "no mug", ""])), at=MONDAY,
    )  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(decisions(), max_size=12))
def test_every_figure_of_any_decisions_is_that_of_the_oracle(made):
    check_figures(to_table(made), oracle.judge_all(made))


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('record') / 'ris.db'}"
    fill_database(url, 2000, seed=5)
    database = Database.open(url)
    yield database
    database.close()


def test_every_figure_of_a_record_of_2000_decisions_is_that_of_the_oracle(record):
    with record.begin() as session:
        table = make_decision_table(read_judged_answers(session))
        judged = oracle.judge_all(read_decisions(session))

    assert len(table) == len(judged) > 1900
    check_figures(table, judged)
    for key in GROUP_KEYS:
        groups = oracle.split(judged, key)
        assert {name: len(group) for name, group in table.split(key)} == {
            name: len(group) for name, group in groups.items()
        }
        for name, group in table.split(key):
            shares = oracle.compute_shares(groups[name])
            for figure, share in compute_decision_metrics(group).shares.items():
                assert (share.mean, share.count) == approximately((shares[figure][0], shares[figure][3]))


def test_a_project_is_read_alone(record):
    with record.begin() as session:
        alone = make_decision_table(read_judged_answers(session, project="2.1700000000"))
        everything = make_decision_table(read_judged_answers(session))

    assert list(alone.names["project"]) == ["2.1700000000"]
    assert len(alone) == len(dict(everything.split("project"))["2.1700000000"])


def test_answers_from_before_the_comparison_was_stored_have_the_same_figures(record):
    """They are compared when they are read, until `ris db upgrade` has stored their comparisons."""
    with record.begin() as session:
        before = make_decision_table(read_judged_answers(session))
        session.execute(update(CorrectionRow).where(CorrectionRow.id % 3 == 0).values(comparison=None))
        read = make_decision_table(read_judged_answers(session))
    n_filled = sum(fill_comparisons(record))
    with record.begin() as session:
        after = make_decision_table(read_judged_answers(session))

    assert n_filled > 500
    for table in (read, after):
        assert table.rows.tobytes() == before.rows.tobytes()
        assert table.favourite_ious.keys() == before.favourite_ious.keys()
        for method, ious in before.favourite_ious.items():
            np.testing.assert_array_equal(table.favourite_ious[method], ious)


def test_a_table_of_nothing_has_its_columns():
    table = make_decision_table([])

    assert (len(table), dict(table.split("week")), table.count_verdicts()["accepted"]) == (0, {}, 0)


def test_the_masks_are_not_kept():
    assert to_table(EVERYTHING).rows.dtype.itemsize < 80

import pytest
from sqlalchemy import create_engine, select

from benchmarks.records import fill_database
from ris.core.decision import to_judged_answer
from ris.evaluation.decisions.table import make_decision_table
from ris.store.history import count_decisions, read_decisions
from ris.store.judged import read_judged_answers
from ris.store.schema import BaseRow
from ris.store.session import Database


def read_tables(url):
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = {
            table.name: sorted(map(repr, connection.execute(select(table)).all()))
            for table in BaseRow.metadata.sorted_tables
        }
    engine.dispose()
    return rows


def test_the_same_seed_and_number_make_the_same_rows(tmp_path):
    urls = [f"sqlite:///{tmp_path / name}.db" for name in ("one", "two", "three")]
    for url, seed in zip(urls, (1, 1, 2), strict=True):
        fill_database(url, 60, seed=seed)

    one, two, three = map(read_tables, urls)

    assert one == two
    assert one["correction"] != three["correction"]


def test_the_record_holds_what_was_asked_for(empty_url):
    """The masks are those that the verdicts speak of, and every decision has its image and alternatives."""
    assert fill_database(empty_url, 400, seed=3) == 402

    database = Database.open(empty_url)
    with database.begin() as session:
        decisions = list(read_decisions(session))
        assert count_decisions(session) == len(decisions)
        table = make_decision_table(read_judged_answers(session))
    database.close()
    compared = make_decision_table(
        to_judged_answer(decision, int(row_id))
        for decision, row_id in zip(decisions, table.rows["row_id"], strict=True)
    )
    assert compared.rows.tobytes() == table.rows.tobytes()
    assert 380 < len(decisions) < 402  # some are deleted
    assert len({d.correction.annotation.task.task_id for d in decisions}) > 260
    for decision in decisions:
        correction, mask = decision.correction, decision.correction.annotation.mask
        assert decision.image_digest is not None
        assert len(decision.alternatives) == 3
        if mask is None:
            continue
        assert mask.size == decision.image_size
        if correction.verdict == "accepted":
            assert mask == decision.alternatives[correction.rank].suggestion.mask
        if correction.verdict == "edited":
            shown = decision.alternatives[correction.rank].suggestion.mask
            assert mask.area_px - shown.area_px == correction.edit.added_px
            assert correction.iou == pytest.approx(shown.area_px / mask.area_px)

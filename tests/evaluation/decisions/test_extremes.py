"""The page at `/` and the report show any record that a database can hold."""

import math
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from ris.core import rle
from ris.core.types import Image, Verdict
from ris.evaluation.decisions.galleries import draw_decision, make_galleries, to_data_uri
from ris.evaluation.decisions.html_report import render_report
from ris.evaluation.decisions.table import make_decision_table
from ris.store.current import rebuild_current
from ris.store.history import find_decisions
from ris.store.judged import read_judged_answers
from ris.store.schema import CorrectionRow, ImageRow, SuggestionRow, TallyRow, TaskRow
from ris.web.app import create_app
from tests.builders.services import NOW

INTEGERS = st.sampled_from([0, 1, 2, 5, 2**31 - 1, -1, -(2**31)])
NUMBERS = st.sampled_from([0.0, -0.0, 1e-320, 0.5, 1.0, 1e9, 1e308, -1e308, math.inf, -math.inf])
TIMES = st.sampled_from([datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, UTC), NOW])
SIZE_LIST = [(1, 1), (2, 3), (1, 65_535), (20_000, 3)]
SIZES = st.sampled_from(SIZE_LIST)
TEXTS = st.sampled_from(["", "the mug", "<script>", "\ufffd", "\u202e\x1b[31m", "\U0001f989" * 300])


@st.composite
def masks(draw):
    height, width = size = draw(SIZES)
    kind = draw(st.sampled_from(["all", "first", "none"]))
    pixels = np.full(size, kind == "all")
    pixels[0, 0] = kind != "none"
    return {"counts": rle.to_string(rle.encode_rle(pixels)), "height": height, "width": width}


EMPTY = [rle.to_string(rle.encode_rle(np.zeros(size, np.bool_))) for size in SIZE_LIST]
SUGGESTIONS = st.fixed_dictionaries({
    "place": st.none() | INTEGERS, "score": NUMBERS, "x1": NUMBERS, "y1": NUMBERS, "x2": NUMBERS,
    "y2": NUMBERS,
    "methods": st.dictionaries(
        TEXTS, st.fixed_dictionaries({"score": st.floats(allow_nan=False), "rank": INTEGERS}), max_size=2
    ),
})  # fmt: skip
CORRECTIONS = st.fixed_dictionaries({
    "updated_at": TIMES, "task_id": INTEGERS, "image_url": TEXTS, "expression": TEXTS,
    "annotator": st.none() | INTEGERS, "lead_time_s": st.none() | NUMBERS, "cancelled": st.booleans(),
    "parent_prediction": st.none() | INTEGERS,
    "region_ids": st.lists(TEXTS, max_size=2), "verdict": st.sampled_from([v.value for v in Verdict]),
    "rank": st.none() | INTEGERS, "iou": st.none() | NUMBERS, "added_px": st.none() | INTEGERS,
    "removed_px": st.none() | INTEGERS, "boundary_iou": st.none() | NUMBERS,
})  # fmt: skip
ROWS = st.lists(
    st.tuples(CORRECTIONS, st.none() | masks(), st.lists(st.tuples(SUGGESTIONS, masks()), max_size=2)),
    min_size=1, max_size=3,
)  # fmt: skip


def write_rows(database, rows):
    """Write rows as they are, past all checks; those of an earlier example are removed."""
    with database.begin() as session:
        for table in (SuggestionRow, TaskRow, CorrectionRow, TallyRow, ImageRow):
            session.execute(delete(table))
        session.add(ImageRow(digest="d", height=2, width=3, first_seen=NOW))
        session.flush()
        for number, (correction, mask, suggestions) in enumerate(rows):
            project = "1.1700000000"
            given = {**correction, **(mask or {}), "project": project, "annotation_id": number}
            # A mask of a decision has pixels: `Annotation` says so, and the inbox writes no other.
            if (
                mask is not None
                and not rle.from_string(mask["counts"], (mask["height"], mask["width"])).area_px
            ):
                given |= {"counts": None}
            session.add(CorrectionRow(**given, version="v1", recorded_at=NOW))
            task = TaskRow(
                project=project, task_id=correction["task_id"], image_url=correction["image_url"],
                expression=correction["expression"], asked=f"{number}", version="v1", image_digest="d",
                left_out={}, explained={}, answered_at=NOW,
            )  # fmt: skip
            session.add(task)
            session.flush()
            rebuild_current(session, project)
            for rank, (suggestion, offered) in enumerate(suggestions):
                session.add(
                    SuggestionRow(task=task.id, rank=rank, region_id=f"r{rank}", **suggestion, **offered)
                )


def draw_picture(_, decision):
    pixels = np.zeros((*decision.correction.annotation.mask.size, 3), np.uint8)
    return to_data_uri(draw_decision(decision, Image.from_pixels(pixels)))


@settings(
    max_examples=15, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(ROWS)
def test_the_page_and_the_report_show_any_record(backend, database, rows):
    write_rows(database, rows)

    answer = create_app(backend).test_client().get("/", headers={"Accept": "text/html"})
    assert answer.status_code == 200
    with database.begin() as session:
        table = make_decision_table(read_judged_answers(session))
        galleries = make_galleries(
            table, lambda ids: find_decisions(session, ids), draw_picture, lambda task: ""
        )
    page = render_report(table, title="t", subtitle="s", galleries=galleries)
    assert len(table) == len(rows)
    assert "</html>" in page


CORRECTION = {
    "updated_at": NOW, "task_id": 1, "image_url": "a", "expression": "the mug", "annotator": 1,
    "lead_time_s": 2.0, "cancelled": False, "parent_prediction": None, "region_ids": [],
    "verdict": "accepted",
    "rank": 0, "iou": 1.0, "added_px": None, "removed_px": None, "boundary_iou": None,
}  # fmt: skip
MASK = {"counts": rle.to_string(rle.encode_rle(np.ones((2, 3), np.bool_))), "height": 2, "width": 3}
SUGGESTION = {"place": None, "score": 0.5, "x1": 0, "y1": 0, "x2": 3, "y2": 2, "methods": {}}


@pytest.mark.parametrize(
    ("correction", "suggestion"),
    [({"lead_time_s": v}, {}) for v in (1e308, -1e308, math.inf, -math.inf, 1e-320)]
    + [({"rank": v}, {}) for v in (2**31 - 1, -1)]
    + [({}, {"score": v}) for v in (1e308, math.inf, -math.inf)]
    + [({}, {"place": v}) for v in (2**31 - 1, -1)]
    + [
        ({"verdict": "edited", "added_px": 1, "removed_px": 1, "boundary_iou": v, "iou": v}, {})
        for v in (1e308, math.inf, -math.inf)
    ],
)
def test_one_extreme_number_spoils_no_page(backend, database, correction, suggestion):
    sound = (CORRECTION, MASK, [(SUGGESTION, MASK)])
    write_rows(database, [sound, (CORRECTION | correction, MASK, [(SUGGESTION | suggestion, MASK)]), sound])

    answer = create_app(backend).test_client().get("/", headers={"Accept": "text/html"})

    assert answer.status_code == 200
    assert "decisions: 3" in answer.text

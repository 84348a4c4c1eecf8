from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ris.core.types import Verdict
from ris.export.selection import ExportOptions, select_answers
from tests.builders.decisions import ALL, decision, make_holed_mask
from tests.builders.exported import DecisionList
from tests.builders.whole_export import make_whole

MASKS = (make_holed_mask(), np.eye(9, 14, dtype=np.bool_), None)


def answered(task, expression, mask, minutes, verdict):
    made = decision(verdict, mask, task, expression=expression)
    annotation = made.correction.annotation
    annotation = replace(annotation, updated_at=annotation.updated_at + timedelta(minutes=minutes))
    return replace(made, correction=replace(made.correction, annotation=annotation))


ANSWERS = st.builds(
    lambda task, expression, mask, minutes, verdict: answered(
        task, expression, MASKS[mask] if verdict.has_mask else None, minutes, verdict
    ),
    st.integers(1, 3), st.sampled_from(["a", "b"]), st.integers(0, 1), st.integers(0, 3),
    st.sampled_from(list(Verdict)),
)  # fmt: skip


@settings(deadline=None)
@given(
    st.lists(ANSWERS, max_size=12).map(lambda found: sorted(found, key=get_task)),
    st.sampled_from(["latest", "majority", "all"]),
    st.sampled_from([[], ["accepted"], ["no referent", "skipped"]]),
)
def test_any_record_gives_the_samples_of_the_whole_computation(decisions, resolve, verdicts):
    choice = ExportOptions([], resolve=resolve, verdicts=verdicts)
    source = DecisionList(decisions)
    made, whole = select_answers(source, choice, unseen=lambda task: ""), make_whole(decisions, choice)

    assert [decisions[i] for i in made.records] == whole.records
    assert [decisions[i] for i in made.samples] == [sample.decision for sample in whole.samples]
    omitted = [one.reason for part in (made.unusable, made.outvoted) for one in part]
    assert omitted == [reason for _, reason in whole.unusable]
    assert [one.reason for one in made.not_chosen] == [reason for _, reason in whole.not_chosen]


def get_task(made):
    return made.correction.annotation.task.task_id


@pytest.mark.parametrize("resolve", ["latest", "all"])
def test_no_mask_is_read_where_none_is_needed(resolve):
    source = DecisionList(ALL * 3)

    select_answers(source, ExportOptions([], resolve=resolve), unseen=lambda task: "")

    assert source.sizes == []


def test_masks_are_read_for_a_majority_of_three_and_many_tasks_at_a_time():
    pair = [answered(task, "a", MASKS[0], i, Verdict.ACCEPTED) for task in range(40) for i in range(2)]
    trios = [answered(task, "a", MASKS[0], i, Verdict.ACCEPTED) for task in range(50, 90) for i in range(3)]
    source = DecisionList([*pair, *trios])

    select_answers(source, ExportOptions([], resolve="majority"), unseen=lambda task: "")

    assert source.sizes == [120]


def test_a_view_is_read_again_each_time_and_some_samples_alone():
    source = DecisionList(ALL)
    selection = select_answers(source, ExportOptions([]), unseen=lambda task: "")
    view = selection.view(selection.records, source.find_decisions_of)

    assert list(view) == list(view) == ALL
    assert [file.number for file in view.list_images()] == [0, 0, 1, 0]

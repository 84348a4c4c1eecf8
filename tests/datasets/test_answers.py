import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris.datasets.answers import drop_repeated_tasks, is_answer
from ris.datasets.entry import Defect
from ris.errors import DatasetError


def words(row):
    if "words" not in row:
        raise DatasetError("it has no words")
    return row["words"]


def taken(rows):
    """By index of a row: True if it is yielded, False if it is a defect, absent if it is dropped."""
    listed = [(str(place), row) for place, row in enumerate(rows)]
    told = {}
    for one in drop_repeated_tasks(listed, words):
        is_told = isinstance(one, Defect)
        told[int(one.what if is_told else one[0])] = not is_told
    return told


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"id": 7, "annotation_id": 1}, True),
        ({"id": "7", "annotation_id": ""}, True),
        ({"id": "", "annotation_id": 1}, False),
        ({"annotation_id": 1, "task_id": 7}, False),
        ({"id": 7}, False),
    ],
)
def test_an_answer_has_the_id_of_its_task_and_its_own(row, expected):
    assert is_answer(row) is expected


rows = st.fixed_dictionaries(
    {"id": st.integers(0, 2), "annotation_id": st.integers()}, optional={"words": st.sampled_from("ab")}
)


@given(st.lists(rows))
def test_no_row_is_passed_over_but_one_that_says_what_its_first_said(listed):
    found = taken(listed)

    for place, row in enumerate(listed):
        before = [one["words"] for one in listed[:place] if one["id"] == row["id"] and "words" in one]
        if "words" not in row or not before:
            assert found[place] is True
        elif row["words"] == before[0]:
            assert place not in found
        else:
            assert found[place] is False


def test_an_id_is_the_same_as_a_number_and_as_text():
    assert taken([{"id": value, "annotation_id": 1, "words": "a"} for value in (7, "7", 7.0)]) == {0: True}


def test_defects_go_through():
    defect = Defect("row 1", "bad")

    assert list(drop_repeated_tasks([defect, defect], words)) == [defect, defect]

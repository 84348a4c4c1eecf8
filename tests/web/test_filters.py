from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris.core.types import Verdict
from ris.errors import InputError
from ris.evaluation.decisions.cells import ReportNames
from ris.store.filters import DecisionFilter
from ris.web.filters import make_filter_fields, read_page_filter


def test_a_page_is_filtered_by_its_address():
    shown = read_page_filter(
        {
            "project": "1.5", "annotator": "7", "verdict": "no referent", "since": "2026-01-31",
            "until": "", "kind": "colour",
        }
    )  # fmt: skip

    assert shown.chosen == DecisionFilter("1.5", 7, Verdict.NO_REFERENT, date(2026, 1, 31), None)
    assert shown.kind == "colour"
    assert read_page_filter({}).chosen == DecisionFilter()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("annotator", "-1"), ("annotator", "x"), ("annotator", str(2**31)), ("verdict", "good"),
        ("since", "31.1.2026"), ("until", "2026-02-30"), ("kind", "nice"),
    ],
)  # fmt: skip
def test_a_value_that_is_not_valid_is_named(name, value):
    with pytest.raises(InputError, match=f"{name} in this page's address must be .*, got '{value}'"):
        read_page_filter({name: value})


@given(st.dictionaries(st.sampled_from(["project", "annotator", "verdict", "since", "kind"]), st.text()))
def test_any_address_is_a_filter_or_a_sentence(arguments):
    try:
        read_page_filter(arguments)
    except InputError as error:
        assert "in this page's address" in str(error)


def test_the_form_shows_what_is_chosen_with_names():
    shown = read_page_filter({"project": "1.5", "annotator": "7"})

    fields = {
        field.name: field
        for field in make_filter_fields(
            shown, ["1.5", "2.6"], [7], ReportNames({"1.5": "Kitchen"}, {"7": "Ada"})
        )
    }

    assert fields["project"].value == "1.5"
    assert fields["project"].choices == [("", "all"), ("1.5", "Kitchen (1)"), ("2.6", "project 2")]
    assert fields["annotator"].choices == [("", "all"), ("7", "Ada")]
    assert fields["since"].choices is None

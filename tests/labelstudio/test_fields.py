"""Ids, times and the key of a project, as Label Studio writes them."""

from datetime import UTC, datetime

import pytest

from ris.errors import EventError
from ris.labelstudio.fields import is_id, make_project_key, parse_time, read_id


def test_the_project_is_the_one_that_setup_names():
    project = {"id": 1, "created_at": "2026-11-21T12:32:26.999999+00:00"}

    assert (
        make_project_key({"project": project})
        == f"1.{int(datetime(2026, 11, 21, 12, 32, 26, tzinfo=UTC).timestamp())}"
    )


@pytest.mark.parametrize(
    ("project", "message"),
    [
        (None, "names no project"),
        ({"id": "1"}, "names no project"),
        ({"id": 1}, "created_at is no time: None"),
    ],
)
def test_a_project_without_its_number_or_its_creation_has_no_key(project, message):
    with pytest.raises(EventError, match=message):
        make_project_key({"project": project})


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-11-21T00:21:31Z", datetime(2026, 11, 21, 0, 21, 31, tzinfo=UTC)),
        ("2026-11-21T01:21:31+01:00", datetime(2026, 11, 21, 0, 21, 31, tzinfo=UTC)),
        ("2026-11-21T00:21:31", datetime(2026, 11, 21, 0, 21, 31, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_in_utc_and_without_a_zone_it_is_utc(written, moment):
    assert parse_time(written, "a time") == moment


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, True), (2**31 - 1, True), (2**31, False), (-1, False), (True, False), ("1", False)],
)
def test_an_id_is_a_number_that_the_database_can_hold(value, expected):
    assert is_id(value) is expected


def test_a_field_that_is_no_id_is_named():
    assert read_id({"id": 7}, "id") == 7
    with pytest.raises(EventError, match="task must be a number that an id can be, got 'x'"):
        read_id({"task": "x"}, "task")

from datetime import timedelta

import pytest

from ris.labelstudio.api.sync import ProjectState
from ris.service.sync_start import COMPARE_ALL_INTERVAL, SYNC_OVERLAP, find_sync_start
from tests.builders.events import event
from tests.builders.services import NOW
from tests.builders.synced_studio import START, SyncedStudio

PROJECT = ProjectState("1.1700000000", {"id": 1, "label_config": "<View/>"})


@pytest.fixture
def studio():
    studio = SyncedStudio()
    studio.moment = 600
    studio.put(event([], number=1))
    return studio


def start(studio, last=None, now=NOW, project=PROJECT):
    return find_sync_start(studio, project, last, now=now)


def position(studio, at=NOW):
    return start(studio).make_position(PROJECT.key, at)


def test_the_first_sync_reads_everything_and_ends_at_the_newest_change(studio):
    first = start(studio)

    assert (first.since, first.watermark) == (None, START + timedelta(seconds=601))


def test_the_next_one_reads_from_a_minute_before_and_knows_whether_anything_changed(studio):
    last = position(studio)

    idle = start(studio, last)
    assert (idle.since, idle.has_changes) == (last.watermark - SYNC_OVERLAP, False)
    assert idle.make_position(PROJECT.key, NOW) == last
    studio.put(event([], number=2))
    assert start(studio, last).has_changes


def test_a_change_that_was_committed_late_is_seen(studio):
    last = position(studio)
    studio.tasks[2] = {**studio.tasks[1], "id": 2, "updated_at": "2026-01-01T00:09:30.000000Z"}

    assert start(studio, last).has_changes


def test_a_change_within_the_second_that_label_studio_tells_is_the_watermark(studio):
    studio.tasks[1]["updated_at"] = "2026-01-01T00:10:01.900000Z"

    assert start(studio).watermark == START + timedelta(seconds=601.9)


def test_a_time_in_the_future_is_no_watermark(studio):
    studio.tasks[2] = {**studio.tasks[1], "id": 2, "updated_at": "2026-01-01T08:00:00.000000Z"}
    assert start(studio).watermark == START + timedelta(seconds=601)

    del studio.tasks[1]
    assert start(studio).watermark is None


def test_a_change_is_seen_though_another_is_in_the_future_and_the_clocks_of_the_servers_differ(studio):
    studio.tasks[1]["updated_at"] = "2026-01-01T08:00:00.000000Z"
    studio.read_server_time = lambda: START + timedelta(seconds=studio.moment + 90)
    last = position(studio)
    studio.put(event([], number=2) | {"task": {"id": 2, "data": {}}})

    after = start(studio, last)

    assert after.has_changes
    assert after.since is None or after.since <= START + timedelta(seconds=602)


def test_a_server_that_does_not_say_its_time_has_the_newest_change(studio):
    studio.read_server_time = lambda: None

    assert start(studio).watermark == START + timedelta(seconds=601)


@pytest.mark.parametrize("age", [COMPARE_ALL_INTERVAL, timedelta(days=9), timedelta(seconds=-1)])
def test_everything_is_read_again_after_a_day_or_when_our_clock_was_set_back(studio, age):
    assert start(studio, position(studio), now=NOW + age).since is None


def test_everything_is_read_again_when_label_studios_clock_was_set_back_or_the_config_changed(studio):
    last = position(studio)
    other = ProjectState(PROJECT.key, {"id": 1, "label_config": "<View></View>"})
    assert start(studio, last, project=other).since is None

    studio.moment -= 100
    assert start(studio, last).since is None


def test_a_project_without_answers_is_read_in_full_which_costs_one_request(studio):
    studio.tasks.clear()
    empty = start(studio)
    assert (empty.since, empty.watermark) == (None, None)
    assert start(studio, empty.make_position(PROJECT.key, NOW)).since is None


def test_the_watermark_stays_when_the_newest_task_was_deleted(studio):
    last = position(studio)
    studio.tasks.clear()

    after = start(studio, last)

    assert (after.has_changes, after.watermark) == (True, last.watermark)
    assert not start(studio, after.make_position(PROJECT.key, NOW)).has_changes

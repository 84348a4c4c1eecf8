"""From a webhook's body to a decision on record."""

import itertools
import json
import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from ris.core import rle
from ris.core.types import Verdict
from ris.errors import StoreError, StoreRefusal
from ris.labelstudio.failure import Failure
from ris.labelstudio.masks import brush
from ris.service import RecordingService, processed_event
from ris.service import recording as recording_module
from ris.store.failures import group_failures
from ris.store.history import read_decisions
from ris.store.inbox import count_events, requeue_events
from ris.store.records import add_correction
from ris.store.schema import EventRow
from tests.builders.events import PROJECT, box, event, process
from tests.builders.masks import rectangle
from tests.builders.services import NOW, task


@pytest.mark.parametrize("config", ["tabs_brush.xml", "tabs_polygon.xml"])
def test_an_untouched_alternative_is_accepted_at_its_rank(recording, database, offered, config):
    (found,) = process(recording, database, event(offered(config)[1], config=config))

    assert (found.verdict, found.rank, found.iou) == (Verdict.ACCEPTED, 1, 1.0)


def test_a_repainted_alternative_is_edited(recording, database, offered):
    region = offered()[0][0]
    mask = brush.decode_brush(region["value"]["rle"], (32, 32))
    mask[0, :] = True
    region["value"]["rle"] = brush.encode_brush(mask)

    (found,) = process(recording, database, event([region]))

    assert (found.verdict, found.rank) == (Verdict.EDITED, 0)
    assert (rle.decode_rle(found.annotation.mask) == mask).all()


def test_a_new_region_is_redrawn(recording, database, offered):
    region = offered()[0][0] | {"id": "x7Kq"}
    region["value"] = region["value"] | {"rle": brush.encode_brush(rectangle((32, 32), 1, 1, 9, 9))}

    (found,) = process(recording, database, event([region]))

    assert (found.verdict, found.rank) == (Verdict.REDRAWN, None)


def test_nothing_submitted_is_no_referent_and_a_skip_is_a_skip(recording, database, offered):
    found = process(
        recording, database, event([], number=1), event(offered()[0], number=2, was_cancelled=True)
    )

    assert [c.verdict for c in found] == [Verdict.NO_REFERENT, Verdict.SKIPPED]


def test_an_answer_to_a_task_that_was_never_asked_of_us_is_kept(recording, database):
    region = {
        "id": "a", "type": "brushlabels", "original_height": 4, "original_width": 4,
        "value": {"rle": brush.encode_brush(np.eye(4, dtype=np.bool_))},
    }  # fmt: skip

    (found,) = process(recording, database, event([region]))

    assert (found.verdict, found.iou) == (Verdict.REDRAWN, None)


def test_an_update_before_its_creation_and_a_repeat_end_alike(recording, database, offered):
    created, updated = (
        event(offered()[0], seconds=1),
        event(offered()[2], seconds=2, action="ANNOTATION_UPDATED"),
    )

    found = process(recording, database, updated, created, created, updated)

    assert [c.rank for c in found] == [2]


def test_a_deletion_before_its_creation_wins(recording, database, offered):
    deleted = {"action": "ANNOTATIONS_DELETED", "annotations": [{"id": 1}], "project": PROJECT}

    assert process(recording, database, deleted, event(offered()[0])) == []


def test_the_same_event_is_known(recording, offered):
    assert recording.record(event(offered()[0])) is True
    assert recording.record(event(offered()[0])) is False


def test_many_events_are_recorded_at_once_and_each_is_stored_once(recording, database, offered):
    events = [event(offered()[0], number=number) for number in range(1, 30)]

    recording.record_all(iter([*events, events[0]]))
    process(recording, database, events[1])

    with database.begin() as session:
        assert count_events(session) == {"new": 0, "done": 29, "failed": 0}


def test_an_event_that_cannot_be_understood_is_kept_and_those_behind_it_go_on(recording, database, offered):
    broken = event([{"id": "r", "type": "brushlabels", "value": {"rle": []}}], number=5)

    found = process(recording, database, broken, event(offered()[0]))

    assert [c.annotation.annotation_id for c in found] == [1]
    with database.begin() as session:
        (group,) = group_failures(session)
        assert count_events(session) == {"new": 0, "done": 1, "failed": 1}
    assert (group.cause, group.n_answers, group.newest.annotation_id) == ("region", 1, 5)
    assert group.newest.sentence.startswith("annotation 5: region 'r': a brush stream has at least 7 bytes")


def test_secrets_are_not_on_disk(recording, database, offered, tmp_path):
    process(recording, database, event(offered()[0]))

    assert not any(b'"secret"' in path.read_bytes() for path in tmp_path.glob("ris.db*"))


ANSWER_AND_DIE = """
import json, os, sys
from datetime import UTC, datetime
from ris.service import RecordingService, processed_event
from ris.store.session import Database

recording = RecordingService(Database.open(sys.argv[1]), now=lambda: datetime(2026, 1, 2, tzinfo=UTC))
recording.start()
recording._processing_lock.acquire()  # it dies before it processes the event
recording.record(json.loads(sys.argv[2]))
os._exit(9)
"""


def test_what_was_waiting_when_the_server_stopped_is_worked_on_after(database, offered, tmp_path):
    url, body = f"sqlite:///{tmp_path / 'ris.db'}", json.dumps(event(offered()[1]))
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "backend")}
    killed = subprocess.run([sys.executable, "-c", ANSWER_AND_DIE, url, body], env=environment)
    assert (killed.returncode, counts(database)) == (9, {"new": 1, "done": 0, "failed": 0})

    restarted = RecordingService(database, now=lambda: NOW)
    restarted.start()
    while counts(database)["new"]:
        time.sleep(0.01)
    restarted.close()

    assert counts(database) == {"new": 0, "done": 1, "failed": 0}
    with database.begin() as session:
        assert [d.correction.rank for d in read_decisions(session)] == [1]


def counts(database):
    with database.begin() as session:
        return count_events(session)


def chosen(value, name="pick"):
    return {
        "id": "c",
        "type": "choices",
        "from_name": name,
        "to_name": "image",
        "value": {"choices": [value]},
    }


def test_of_all_alternatives_on_the_image_the_chosen_one_is_taken(recording, database, offered):
    everything = [region for regions in offered("pick_brush.xml") for region in regions]

    (found,) = process(recording, database, event([*everything, chosen("2nd")], config="pick_brush.xml"))

    assert (found.verdict, found.rank) == (Verdict.ACCEPTED, 1)


@pytest.mark.parametrize(("config", "tag"), [("pick_brush.xml", "pick"), ("tabs_brush.xml", "referent")])
def test_no_such_thing_is_said_with_a_mask_still_on_the_image(recording, database, offered, config, tag):
    (found,) = process(
        recording, database,
        event([*offered(config)[0], chosen("no such thing", tag)], config=config),
    )  # fmt: skip

    assert (found.verdict, found.annotation.mask) == (Verdict.NO_REFERENT, None)


def test_what_the_database_cannot_hold_is_that_events_failure_alone(recording, database, monkeypatch):
    """The events behind it are processed, whatever the error."""

    def refusing(session, correction, **more):
        if correction.annotation.annotation_id == 2:
            raise OverflowError("too large")
        return add_correction(session, correction, **more)

    monkeypatch.setattr("ris.service.processed_event.add_correction", refusing)
    for number in (1, 2, 3):
        recording.record(event([], number=number))
    while recording.process_events():
        pass

    with database.begin() as session:
        kept = [d.correction.annotation.annotation_id for d in read_decisions(session)]
        (failed,) = group_failures(session)
    assert kept == [1, 3]
    assert (failed.cause, failed.newest.sentence) == ("internal", "too large")


@pytest.mark.parametrize("number", [2**31, 2**70, -1, True, "7"])
def test_an_id_that_is_none_is_kept_with_its_error(recording, database, number):
    body = event([])
    body["annotation"]["id"] = number
    recording.record(body)
    while recording.process_events():
        pass

    with database.begin() as session:
        (failed,) = group_failures(session)
    assert "id must be a number that an id can be" in failed.newest.sentence


def groups(database):
    with database.begin() as session:
        return [(g.cause, g.n_answers) for g in group_failures(session)], count_events(session)["failed"]


def test_an_answer_that_is_given_again_settles_the_failure_of_the_first(recording, database, offered):
    everything = [region for regions in offered("pick_brush.xml") for region in regions]
    nothing_chosen = event(everything, seconds=1, config="pick_brush.xml")

    process(recording, database, nothing_chosen)
    assert groups(database) == ([("choice", 1)], 1)

    again = event([*everything, chosen("2nd")], seconds=2, config="pick_brush.xml")
    (found,) = process(recording, database, again)
    assert (found.verdict, found.rank) == (Verdict.ACCEPTED, 1)
    assert groups(database) == ([], 0)


def test_an_event_of_a_broken_label_config_is_settled_when_its_answers_come_with_a_mended_one(
    recording, database, offered
):
    broken = event(offered()[0])
    broken["project"] = broken["project"] | {"label_config": "<View/>"}

    process(recording, database, broken)
    assert groups(database) == ([("label config", 1)], 1)

    process(recording, database, event(offered()[0]))
    assert groups(database) == ([], 0)


def test_an_answer_that_is_deleted_settles_its_failure(recording, database):
    process(recording, database, event([{"type": "vectorlabels", "id": "v"}]))
    assert groups(database) == ([("kind of region", 1)], 1)

    process(
        recording, database, {"action": "TASKS_DELETED", "tasks": [{"id": 1}], "project": PROJECT}
    )  # fmt: skip
    assert groups(database) == ([], 0)


def test_a_failed_answer_is_understood_when_the_size_of_its_image_comes_on_record(
    recording, database, suggesting, gate
):
    bare = {"id": "a", "type": "rectanglelabels", "value": {"x": 0, "y": 0, "width": 50, "height": 50}}
    process(recording, database, event([bare]))
    assert groups(database) == ([("picture size", 1)], 1)

    gate.opened.set()
    suggesting.suggest([task()], deadline_s=60)
    with database.begin() as session:
        requeue_events(session)

    (found,) = process(recording, database)
    assert (found.verdict, found.annotation.mask.area_px) == (Verdict.REDRAWN, 16 * 16)
    assert groups(database) == ([], 0)


@pytest.mark.parametrize("size", [(1, 1), (64, 64)])
def test_a_frame_that_is_not_the_images_is_never_a_verdict(recording, database, offered, size):
    region = offered("tabs_polygon.xml")[0][0] | {"original_height": size[0], "original_width": size[1]}

    assert process(recording, database, event([region], config="tabs_polygon.xml")) == []
    assert groups(database) == ([("picture size", 1)], 1)


NOT_UNDERSTOOD = [{"type": "vectorlabels", "id": "v"}]


def test_an_answer_that_is_changed_to_something_not_understood_is_no_decision(recording, database, offered):
    assert len(process(recording, database, event(offered()[0], seconds=1))) == 1

    assert process(recording, database, event(NOT_UNDERSTOOD, seconds=2)) == []
    assert groups(database) == ([("kind of region", 1)], 1)

    (found,) = process(recording, database, event(offered()[1], seconds=3))
    assert found.rank == 1
    assert groups(database) == ([], 0)


def test_three_versions_that_are_not_understood_are_one_answer(recording, database):
    process(recording, database, *(event(NOT_UNDERSTOOD, seconds=seconds) for seconds in (2, 3, 1)))

    assert groups(database) == ([("kind of region", 1)], 1)
    with database.begin() as session:
        assert group_failures(session)[0].newest.updated_at.second == 3


def test_an_older_version_and_a_deleted_answer_that_come_late_are_no_failures(recording, database, offered):
    gone = {"action": "ANNOTATIONS_DELETED", "annotations": [{"id": 2}], "project": PROJECT}
    process(recording, database, event(offered()[0], seconds=5), gone)

    process(recording, database, event(NOT_UNDERSTOOD, seconds=4), event(NOT_UNDERSTOOD, number=2))

    assert groups(database) == ([], 0)
    assert counts(database) == {"new": 0, "done": 4, "failed": 0}


def test_an_answer_that_the_database_refuses_is_no_decision_in_its_older_version(
    recording, database, monkeypatch
):
    def refusing(session, correction, **more):
        if correction.annotation.updated_at.second == 2:
            raise OverflowError("too large")
        return add_correction(session, correction, **more)

    monkeypatch.setattr("ris.service.processed_event.add_correction", refusing)

    assert process(recording, database, event([], seconds=1), event([], seconds=2)) == []
    with database.begin() as session:
        (failed,) = group_failures(session)
    assert (failed.newest.sentence, failed.newest.annotation_id) == ("too large", 1)


def process_all(recording):
    while recording.process_events():
        pass


def keep(recording, *bodies):
    for body in bodies:
        recording.record(body)


def read_ids(database):
    with database.begin() as session:
        return [d.correction.annotation.annotation_id for d in read_decisions(session)]


class Clock:
    def __init__(self):
        self.time = NOW

    def __call__(self):
        return self.time


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def timed(database, clock):
    """A recording service whose thread does not run: events are processed when a test says so."""
    timed = RecordingService(database, now=clock)
    timed._writer.start()
    yield timed
    timed.close()


def refuse_the_second(monkeypatch, name, error):
    """Let a function of the recording raise for annotation 2, until the returned list is emptied."""
    module = processed_event if name == "add_correction" else recording_module
    whole, refused = getattr(module, name), [error]

    def refuse(session, given, *args, **more):
        annotation = getattr(given, "annotation", given)
        if refused and annotation.annotation_id == 2:
            raise refused[0]
        return whole(session, given, *args, **more)

    monkeypatch.setattr(module, name, refuse)
    return refused


@pytest.mark.parametrize("name", ["add_correction", "judge_event_answer"])
def test_an_event_that_the_database_refuses_for_a_while_waits_and_costs_no_other(
    timed, clock, database, monkeypatch, name
):
    refused = refuse_the_second(monkeypatch, name, StoreError("the database is locked"))
    keep(timed, *(event([], number=number) for number in (1, 2, 3)))

    process_all(timed)

    assert read_ids(database) == [1, 3]
    assert counts(database) == {"new": 1, "done": 2, "failed": 0}
    refused.clear()
    process_all(timed)
    assert read_ids(database) == [1, 3]
    clock.time += timedelta(seconds=5)
    process_all(timed)
    assert read_ids(database) == [1, 2, 3]
    assert counts(database) == {"new": 0, "done": 3, "failed": 0}


def test_the_waiting_time_is_in_the_database_and_bounded(timed, clock, database, monkeypatch):
    refuse_the_second(monkeypatch, "add_correction", StoreError("the database is locked"))
    keep(timed, event([], number=2))
    delays_s = []
    for _ in range(12):
        process_all(timed)
        with database.begin() as session:
            row = session.get_one(EventRow, 1)
            delays_s.append((row.retry_at - clock.time).total_seconds())
            clock.time, attempts = row.retry_at, row.attempts

    assert attempts == 12
    for number, delay_s in enumerate(delays_s):
        longest_s = min(5 * 2**number, 600)
        assert longest_s / 2 <= delay_s <= longest_s


def test_a_clock_that_was_wrong_does_not_delay_an_event_for_ever(timed, clock, database, monkeypatch):
    refused = refuse_the_second(monkeypatch, "add_correction", StoreError("the database is locked"))
    keep(timed, event([], number=2))
    clock.time += timedelta(days=900)
    process_all(timed)
    refused.clear()
    clock.time = NOW

    process_all(timed)

    assert read_ids(database) == [2]


def test_a_database_that_takes_nothing_leaves_every_event_new(timed, database, monkeypatch):
    def refuse(*_, **more):
        raise StoreError("the database is locked")

    monkeypatch.setattr(recording_module, "write_event_state", refuse)
    keep(timed, *(event([], number=number) for number in (1, 2, 3)))

    with pytest.raises(StoreError, match="locked"):
        timed.process_events()

    assert counts(database) == {"new": 3, "done": 0, "failed": 0}
    monkeypatch.undo()
    process_all(timed)
    assert read_ids(database) == [1, 2, 3]


def test_a_size_that_cannot_be_looked_up_now_is_no_fault_of_the_answer(timed, database, clock, monkeypatch):
    def refuse(task):
        raise StoreError("the database is locked")

    monkeypatch.setattr(timed, "find_image_size", refuse)
    keep(timed, event([box(10)]))
    process_all(timed)
    assert counts(database) == {"new": 1, "done": 0, "failed": 0}

    monkeypatch.undo()
    clock.time += timedelta(seconds=5)
    process_all(timed)
    assert read_ids(database) == [1]


@pytest.mark.parametrize("error", [KeyError("x"), StoreRefusal("the database refuses a value: too long")])
@pytest.mark.parametrize("name", ["add_correction", "judge_event_answer"])
def test_a_fault_of_ours_fails_its_event_once_and_can_be_replayed(timed, database, monkeypatch, name, error):
    refused = refuse_the_second(monkeypatch, name, error)
    keep(timed, *(event([], number=number) for number in (1, 2, 3)))

    process_all(timed)

    assert read_ids(database) == [1, 3]
    assert groups(database) == ([("internal", 1)], 1)
    refused.clear()
    with database.begin() as session:
        assert requeue_events(session) == 1
    process_all(timed)
    assert read_ids(database) == [1, 2, 3]
    assert groups(database) == ([], 0)


@pytest.mark.parametrize("number", [2**31, 10**80, -1, True])
def test_a_project_whose_id_no_database_takes_is_a_failed_event(recording, database, number):
    body = event([])
    body["project"]["id"] = number

    assert process(recording, database, body, event([], number=3))[0].annotation.annotation_id == 3
    assert groups(database) == ([("webhook", 1)], 1)


def test_a_failure_that_cannot_be_stored_is_stored_without_its_values(timed, database, monkeypatch):
    def refuse(error, annotation, task, project):
        return Failure("internal", "too long", "9" * 65, 2**70, 1, NOW)

    monkeypatch.setattr("ris.labelstudio.event._make_failure", refuse)
    broken = event([{"id": "r", "type": "brushlabels", "value": {"rle": []}}])
    keep(timed, broken, event([], number=3))

    process_all(timed)

    assert read_ids(database) == [3]
    with database.begin() as session:
        (failed,) = group_failures(session)
    assert failed.newest.sentence == "event 1 has a value that cannot be stored"


def test_processing_ends_though_each_event_brings_another_one(timed, database, monkeypatch):
    numbers, read_event = itertools.count(10), recording_module.read_event

    def read_and_bring_another(body, find_image_size):
        timed.record(event([box(20)], number=next(numbers)))
        return read_event(body, find_image_size)

    keep(timed, *(event([box(20)], number=number) for number in range(1, 4)))
    monkeypatch.setattr(recording_module, "read_event", read_and_bring_another)
    timed.process_arrived_events()

    with database.begin() as session:
        assert count_events(session) == {"new": 3, "done": 3, "failed": 0}

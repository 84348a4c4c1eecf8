"""Sync with a fake Label Studio: tasks in pages, annotations that are added, changed and deleted."""

import time
from datetime import timedelta

import pytest

from ris.core.types import Verdict
from ris.errors import LabelStudioError
from ris.label_config import read
from ris.service.sync_start import COMPARE_ALL_INTERVAL
from ris.service.syncing import SyncResult, SyncService, find_next_try
from ris.store.failures import count_failures, find_failed_annotation_ids
from ris.store.history import read_decisions
from ris.store.inbox import count_events
from ris.store.label_configs import find_current_label_configs
from ris.store.records import save_project
from ris.store.sync_states import SyncState, find_sync_states
from tests.builders.events import event
from tests.builders.services import NOW
from tests.builders.synced_studio import SyncedStudio


@pytest.fixture
def studio():
    return SyncedStudio()


@pytest.fixture
def syncing(database, recording, studio):
    return SyncService(database, recording, studio, now=lambda: NOW)


def skip_tasks(studio, n_tasks):
    for number in range(1, n_tasks + 1):
        body = event([], number=number, was_cancelled=True)
        studio.put(body | {"task": body["task"] | {"id": number}})


def on_record(database):
    with database.begin() as session:
        return {d.correction.annotation.annotation_id: d.correction for d in read_decisions(session)}


def test_what_no_webhook_told_is_applied(syncing, studio, database, offered):
    studio.put(event(offered()[1], number=1))
    studio.put(event(offered()[0], number=2))

    done = syncing.sync(1)

    assert (done.n_in_label_studio, done.n_recorded, done.n_applied, done.n_gone, done.is_in_sync) == (
        2,
        2,
        2,
        0,
        True,
    )
    assert {i: (c.verdict, c.rank) for i, c in on_record(database).items()} == {
        1: (Verdict.ACCEPTED, 1), 2: (Verdict.ACCEPTED, 0),
    }  # fmt: skip


def test_a_second_time_there_is_nothing_to_do(syncing, studio, offered):
    studio.put(event(offered()[1]))
    syncing.sync(1)

    again = syncing.sync(1)

    assert (again.n_applied, again.n_gone, again.is_in_sync) == (0, 0, True)


def test_a_change_that_no_webhook_told_is_the_newest_version(syncing, studio, database, offered):
    studio.put(event(offered()[1], seconds=1))
    syncing.sync(1)
    studio.put(event(offered()[2], seconds=2))

    done = syncing.sync(1)

    assert (done.n_applied, on_record(database)[1].rank) == (1, 2)


def test_what_the_webhooks_told_already_is_not_applied_again(
    syncing,
    studio,
    recording,
    database,
    offered,
):
    told = event(offered()[1])
    studio.put(told)
    recording.record(told)
    while recording.process_events():
        pass

    assert syncing.sync(1).n_applied == 0
    assert len(on_record(database)) == 1


def test_an_annotation_that_is_gone_is_marked(syncing, studio, database, offered):
    studio.put(event(offered()[1], number=1))
    studio.put(event(offered()[0], number=2))
    syncing.sync(1)
    studio.delete(1)

    done = syncing.sync(1)

    assert (done.n_gone, done.is_in_sync, set(on_record(database))) == (1, True, {2})


def test_nothing_new_costs_a_few_requests_and_no_answer_is_downloaded(syncing, studio):
    skip_tasks(studio, 251)
    syncing.sync(1)
    studio.n_calls, studio.listed = 0, []

    done = syncing.sync(1)

    assert (done.n_in_label_studio, done.n_recorded, done.is_in_sync) == (None, 251, True)
    assert (studio.n_calls, studio.listed) == (4, [])


def test_only_the_tasks_that_changed_are_read_again(syncing, studio, offered):
    skip_tasks(studio, 251)
    syncing.sync(1)
    studio.moment, studio.listed = 1000, []
    studio.put(event(offered()[1], number=1, seconds=9))

    assert syncing.sync(1).n_applied == 1
    (query,) = studio.listed
    assert "2026-01-01T00:03:11.000000Z" in query  # the last change was at 251 s; a minute before


def test_a_deleted_task_is_found_once_a_day_or_on_request(database, recording, studio, offered):
    clock = [NOW]
    syncing = SyncService(database, recording, studio, now=lambda: clock[0])
    studio.put(event(offered()[1], number=1))
    studio.put(event(offered()[1], number=2) | {"task": {"id": 2, "data": {"image": "squares"}}})
    syncing.sync(1)
    del studio.tasks[1]

    assert syncing.sync(1).n_gone == 0
    clock[0] += COMPARE_ALL_INTERVAL
    assert syncing.sync(1).n_gone == 1
    del studio.tasks[2]
    assert syncing.sync(1).n_gone == 0
    assert syncing.sync(1, compares_all=True).n_gone == 1
    assert on_record(database) == {}


def test_another_project_of_the_same_number_is_compared_from_its_start(syncing, studio, database, offered):
    studio.put(event(offered()[1], number=1))
    syncing.sync(1)
    studio.created_at = "2024-11-14T22:13:20Z"
    assert syncing.sync(1).n_in_label_studio == 1


def test_answers_that_failed_are_read_again_under_another_label_config(syncing, studio, database, offered):
    studio.put(event(offered()[1]))
    studio.label_config = '<View><Text name="words" value="$expression"/></View>'
    assert syncing.sync(1).n_failed == 1
    studio.label_config = read("tabs_brush.xml")

    assert (syncing.sync(1).n_failed, set(on_record(database))) == (0, {1})


def test_an_annotation_that_a_page_missed_is_not_taken_for_gone(syncing, studio, database, offered):
    studio.put(event(offered()[1], number=1))
    syncing.sync(1)
    studio.hidden.add(1)

    done = syncing.sync(1)

    assert (done.n_gone, set(on_record(database))) == (0, {1})


def test_all_pages_are_read(syncing, studio):
    skip_tasks(studio, 251)

    done = syncing.sync(1)

    assert len([query for query in studio.listed if "cancelled_annotations" in query]) == 3
    assert (done.n_in_label_studio, done.n_recorded) == (251, 251)


def test_an_answer_that_cannot_be_understood_makes_the_two_sides_differ(syncing, studio):
    studio.put(event([{"id": "r", "type": "brushlabels", "value": {"rle": []}}]))

    done = syncing.sync(1)

    assert (done.n_in_label_studio, done.n_recorded, done.n_applied, done.n_failed, done.is_in_sync) == (
        1,
        0,
        0,
        1,
        False,
    )


NOT_UNDERSTOOD = [{"type": "vectorlabels", "id": "v"}]


def test_an_answer_that_failed_is_counted_once_however_often_it_is_read(syncing, studio, recording, database):
    told = event(NOT_UNDERSTOOD)
    studio.put(told)
    recording.record(told)
    for config in ("tabs_brush.xml", "tabs_brush.xml", "pick_brush.xml", "tabs_polygon.xml"):
        studio.label_config = read(config)
        done = syncing.sync(1)
        with database.begin() as session:
            assert (done.n_applied, done.n_failed, count_failures(session)) == (0, 1, 1)
            assert count_events(session)["failed"] == 1


def test_a_change_that_is_not_understood_makes_the_two_sides_differ(syncing, studio, database, offered):
    studio.put(event(offered()[1], number=1, seconds=1))
    studio.put(event(offered()[1], number=2, seconds=1))
    syncing.sync(1)
    studio.put(event(NOT_UNDERSTOOD, number=1, seconds=2))

    done = syncing.sync(1, compares_all=True)

    assert (done.n_in_label_studio, done.n_recorded, done.n_applied, done.n_failed, done.is_in_sync) == (
        2,
        1,
        0,
        1,
        False,
    )
    assert set(on_record(database)) == {2}


def test_a_failure_of_an_answer_beside_the_counted_ones_is_no_agreement():
    assert SyncResult("1.1", 2, 2, 0, 0).is_in_sync
    assert not SyncResult("1.1", 2, 2, 0, 0, n_failed=1).is_in_sync


def test_the_projects_on_record_are_known_by_their_numbers(syncing, studio, offered):
    studio.put(event(offered()[1]))
    syncing.sync(1)

    assert syncing.find_project_numbers() == [1]


def test_a_project_that_fails_stops_no_other_and_is_left_alone_for_a_while(
    syncing, studio, database, offered
):
    """The clock stands still, so the project that failed is not due again; the other one is, every time."""
    with database.begin() as session:
        save_project(session, "0.1700000000", label_config="", extra_params={}, now=NOW)
        save_project(session, "1.1700000000", label_config="", extra_params={}, now=NOW)
    studio.put(event(offered()[1]))

    syncing.start(0.01)
    while studio.n_calls < 30:
        time.sleep(0.01)
    syncing.close()

    assert set(on_record(database)) == {1}
    with database.begin() as session:
        failed, works = find_sync_states(session)
    assert (failed.project, failed.n_failures, works.project, works.n_failures) == (0, 1, 1, 0)
    assert "404 to GET /api/projects/0" in failed.failure


@pytest.mark.parametrize(
    ("n_failures", "is_missing", "minutes"),
    [(1, False, 10), (2, False, 20), (3, False, 40), (4, False, 60), (500, False, 60), (4, True, 80),
     (9, True, 1440), (10**6, True, 1440)],
)  # fmt: skip
def test_the_delay_doubles_with_each_failure_up_to_a_limit(n_failures, is_missing, minutes):
    state = SyncState(1, None, NOW, "no", n_failures, is_missing)

    assert find_next_try(state, timedelta(minutes=10)) == NOW + timedelta(minutes=minutes)
    assert find_next_try(state, timedelta(days=2)) == NOW + timedelta(days=2)
    assert find_next_try(SyncState(1, NOW), timedelta(minutes=10)) < NOW


def test_a_fault_of_ours_is_stored_as_a_failure_of_this_project(syncing, studio, database, offered):
    studio.put(event(offered()[1]))
    syncing.sync(1)

    def break_down(method, path, body=None, **params):
        raise KeyError("boom")

    studio.call = break_down
    with pytest.raises(KeyError):
        syncing.sync(1)
    with database.begin() as session:
        (state,) = find_sync_states(session)
    assert (state.failure, state.last_success) == ("internal error (KeyError); see the log", NOW)


def test_what_came_before_an_annotation_that_cannot_be_read_is_recorded(syncing, studio, database, offered):
    studio.put(event(offered()[1], number=1))
    studio.put(event(offered()[1], number=2))
    next(iter(studio.tasks.values()))["annotations"][2]["updated_at"] = None

    with pytest.raises(LabelStudioError, match="1 tasks or annotations of project 1 cannot be read"):
        syncing.sync(1)

    assert set(on_record(database)) == {1}


def test_a_label_studio_that_refuses_is_told_and_nothing_is_lost(syncing, studio, database, offered):
    studio.put(event(offered()[1]))
    syncing.sync(1)

    def refuse(method, path, body=None, **params):
        raise LabelStudioError("Label Studio at http://x does not answer")

    studio.call = refuse
    with pytest.raises(LabelStudioError):
        syncing.sync(1)
    assert set(on_record(database)) == {1}


RENAMED = read("pick_brush.xml").replace('"2nd"', '"second"').replace("no such thing", "absent")


def picked(number, seconds, word, offered):
    shown = [region for regions in offered("pick_brush.xml") for region in regions]
    choice = {"id": "c", "type": "choices", "from_name": "pick", "value": {"choices": [word]}}
    return event([*shown, choice], number=number, seconds=seconds, config="pick_brush.xml")


def test_an_answer_is_read_with_the_label_config_that_it_was_given_under(
    syncing, studio, recording, database, offered,
):  # fmt: skip
    """Two answers came by webhook; the one between them was lost, and the choices were renamed later."""
    for seconds in (1, 9):
        body = picked(seconds, seconds, "2nd", offered)
        recording.record(body)
        studio.put(body)
    while recording.process_events():
        pass
    studio.put(picked(5, 5, "no such thing", offered))
    studio.put(picked(7, 7, "2nd", offered))
    studio.label_config = RENAMED

    syncing.sync(1)

    found = on_record(database)
    assert found[5].verdict is Verdict.NO_REFERENT
    assert (found[7].verdict, found[7].rank) == (Verdict.ACCEPTED, 1)


def test_an_answer_from_before_a_renaming_is_never_all_masks(syncing, studio, database, offered):
    studio.put(picked(1, 1, "2nd", offered))
    studio.put(picked(2, 1, "no such thing", offered))
    studio.put(picked(3, 1, "unknown", offered))
    studio.label_config = RENAMED

    syncing.sync(1)

    found = on_record(database)
    assert (found[1].verdict, found[1].rank) == (Verdict.ACCEPTED, 1)
    assert found[2].verdict is Verdict.NO_REFERENT
    with database.begin() as session:
        assert find_failed_annotation_ids(session, found[1].annotation.task.project) == {3}


def test_the_label_config_of_a_project_that_never_asked_is_known_after_a_sync(
    syncing, studio, database, offered
):
    studio.put(event(offered()[1]))

    syncing.sync(1)

    with database.begin() as session:
        assert find_current_label_configs(session) == {"1.1700000000": read("tabs_brush.xml")}


def test_a_failed_answer_that_is_gone_is_settled(syncing, studio, database, offered):
    studio.put(picked(3, 1, "unknown", offered))
    studio.label_config = read("pick_brush.xml")
    syncing.sync(1)
    studio.delete(3)

    assert syncing.sync(1).n_gone == 1
    with database.begin() as session:
        assert count_failures(session) == 0


def test_predictions_that_are_there_twice_are_removed_and_the_decisions_stay(
    syncing,
    studio,
    database,
    offered,
):
    studio.put(event(offered()[1], number=1))
    task = next(iter(studio.tasks.values()))
    task["predictions"] = [
        {"id": number, "model_version": "fake-1", "result": [{"id": f"risabc-{number % 3}"}]}
        for number in range(1, 7)
    ]

    assert syncing.sync(1).n_duplicates == 3
    assert [p["id"] for p in task["predictions"]] == [4, 5, 6]
    assert syncing.sync(1).n_duplicates == 0
    assert set(on_record(database)) == {1}


def test_duplicates_stay_where_their_removal_is_refused_and_those_of_a_draft_are_not_asked_about(
    syncing, studio, offered
):
    studio.put(event(offered()[1], number=1))
    task = next(iter(studio.tasks.values()))
    task["predictions"] = [
        {"id": number, "model_version": "fake-1", "result": [{"id": f"risabc-{number % 3}"}]}
        for number in range(1, 7)
    ]
    asked = []
    syncing.may_remove = lambda tasks: asked.append([one.surplus for one in tasks])

    assert syncing.sync(1).n_duplicates == 0
    assert asked == [[(1, 2, 3)]]
    assert len(task["predictions"]) == 6

    task["drafts"] = [{"id": 1}]
    syncing.sync(1, compares_all=True)
    assert len(asked) == 1


def test_a_webhook_that_was_switched_off_is_switched_on_and_told(syncing, studio):
    studio.ml = [{"id": 1, "url": "http://127.0.0.1:9090", "title": "ris"}]
    studio.webhooks = [
        {"id": 5, "url": "http://127.0.0.1:9090/webhook", "is_active": False, "send_payload": True,
         "send_for_all_actions": True, "headers": {}, "consecutive_failures": 50}
    ]  # fmt: skip

    assert syncing.sync(1).webhook == "it is switched off after 50 failed deliveries in a row"
    assert studio.webhooks[0]["is_active"] is True


def test_what_was_lost_while_the_webhook_was_off_is_found_by_the_sync_that_repairs_it(
    syncing, studio, database, offered
):
    """A deletion of a task is lost: no task shows it."""
    studio.ml = [{"id": 1, "url": "http://127.0.0.1:9090", "title": "ris"}]
    studio.webhooks = []
    studio.put(event(offered()[1], number=1))
    syncing.sync(1)
    studio.webhooks = []
    del studio.tasks[1]

    done = syncing.sync(1)

    assert (done.webhook, done.n_gone) == ("it was deleted, or its address was changed", 1)
    assert [hook["url"] for hook in studio.webhooks] == ["http://127.0.0.1:9090/webhook"]
    with database.begin() as session:
        (state,) = find_sync_states(session)
    assert state.webhook_summary == (
        "2026-01-02 00:00 UTC: it was deleted, or its address was changed; repaired"
    )


def test_a_webhook_that_cannot_be_repaired_is_on_record_until_it_works(syncing, studio, database, offered):
    studio.ml = [{"id": 1, "url": "http://127.0.0.1:9090", "title": "ris"}]
    studio.webhooks = None
    studio.put(event(offered()[1], number=1))
    syncing.sync(1)
    with database.begin() as session:
        (broken,) = find_sync_states(session)
    studio.webhooks = [
        {"id": 5, "url": "http://127.0.0.1:9090/webhook", "is_active": True, "send_payload": True,
         "send_for_all_actions": True, "headers": {}}
    ]  # fmt: skip
    syncing.sync(1)

    assert broken.has_broken_webhook
    assert broken.webhook_summary.startswith("2026-01-02 00:00 UTC: Label Studio's answer for the webhooks")
    with database.begin() as session:
        (state,) = find_sync_states(session)
    assert (state.has_broken_webhook, state.webhook_summary) == (False, "")


def test_what_cannot_be_put_right_there_does_not_keep_the_record_behind(
    syncing,
    studio,
    database,
    offered,
    caplog,
):
    studio.put(event(offered()[1], number=1))
    studio.ml = [{"id": 1, "url": "http://127.0.0.1:9090", "title": "ris"}]
    studio.webhooks = None

    def call(method, path, body=None, *, whole=studio.call, **params):
        if path == "/api/ml":
            raise LabelStudioError("Label Studio answered 403 to GET /api/ml")
        return whole(method, path, body, **params)

    studio.call = call

    assert syncing.sync(1).is_in_sync
    assert "webhook of project 1.1700000000 could not be repaired: Label Studio answered 403" in caplog.text

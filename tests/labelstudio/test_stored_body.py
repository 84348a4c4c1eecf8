"""Which parts of a webhook are stored."""

from ris.labelstudio.stored_body import redact_event, to_canonical_json
from tests.builders.webhooks import annotation, body


def test_secrets_are_replaced_at_any_depth_and_everything_else_stays():
    clean = redact_event(body(extra=[{"Password": "p", "fine": 1}]))

    assert "owner-token" not in repr(clean)
    assert "pw" not in repr(clean["project"])
    assert clean["extra"] == [{"Password": "***", "fine": 1}]
    assert clean["annotation"] == annotation()


def test_the_same_event_has_the_same_digest_and_another_has_not():
    assert to_canonical_json(body()) == to_canonical_json(dict(reversed(body().items())))
    assert to_canonical_json(body()) != to_canonical_json(body(annotation=annotation(lead_time=9)))


def test_a_character_that_no_database_takes_is_dropped():
    assert redact_event({"a": ["x\x00y"]}) == {"a": ["xy"]}


def test_an_image_address_keeps_its_signature_in_the_data_of_a_task_and_nowhere_else():
    address = "https://bucket/a.png?X-Amz-Signature=abc"
    task = {"id": 1, "data": {"image": address, "client_secret": "abc"}, "meta": {"from": address}}

    clean = redact_event({"action": "TASKS_CREATED", "tasks": [task], "task": task})

    shown = "https://bucket/a.png?X-Amz-Signature=***"
    expected = {"id": 1, "data": {"image": address, "client_secret": "***"}, "meta": {"from": shown}}
    assert clean == {"action": "TASKS_CREATED", "tasks": [expected], "task": expected}


def test_the_label_config_stays_as_it_is():
    config = '<View><Image name="i" value="https://bucket/$file?sig=abc"/></View>'

    assert redact_event({"project": {"label_config": config}}) == {"project": {"label_config": config}}

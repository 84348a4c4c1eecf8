"""Which parts of a webhook are stored."""

from ris.labelstudio.stored_body import drop_secrets, to_canonical_json
from tests.builders.webhooks import annotation, body


def test_secrets_are_dropped_at_any_depth_and_everything_else_stays():
    clean = drop_secrets(body(extra=[{"Password": "p", "fine": 1}]))

    assert "owner-token" not in repr(clean)
    assert "pw" not in repr(clean["project"])
    assert clean["extra"] == [{"fine": 1}]
    assert clean["annotation"] == annotation()


def test_the_same_event_has_the_same_digest_and_another_has_not():
    assert to_canonical_json(body()) == to_canonical_json(dict(reversed(body().items())))
    assert to_canonical_json(body()) != to_canonical_json(body(annotation=annotation(lead_time=9)))


def test_a_character_that_no_database_takes_is_dropped():
    assert drop_secrets({"a": ["x\x00y"]}) == {"a": ["xy"]}

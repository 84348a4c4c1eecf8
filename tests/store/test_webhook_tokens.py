"""The tokens of webhooks: only digests are stored, and a newer token ends the older ones of its project."""

from sqlalchemy import text

from ris.store.schema import WebhookTokenRow
from ris.store.webhook_tokens import (
    AcceptedTokens,
    add_webhook_token,
    end_older_tokens,
    find_accepted_tokens,
    is_webhook_token,
)


def test_a_token_is_one_of_its_project_and_accepted_by_the_server(database):
    with database.begin() as session:
        add_webhook_token(session, 3, "one")
    with database.begin() as session:
        accepted = find_accepted_tokens(session)
        assert (is_webhook_token(session, 3, "one"), is_webhook_token(session, 4, "one")) == (True, False)

    assert (accepted.has("one"), accepted.has("another"), accepted.has("")) == (True, False, False)
    assert not accepted.has("\ud800")


def test_no_token_can_be_read_from_the_database(database):
    with database.begin() as session:
        add_webhook_token(session, 3, "very-secret")
        session.flush()
        rows = session.execute(text("SELECT * FROM webhook_token")).all()

    assert len(rows) == 1
    assert "very-secret" not in str(rows)


def test_a_newer_token_ends_the_older_ones_of_its_project_only(database):
    with database.begin() as session:
        session.add_all([WebhookTokenRow(project=3), WebhookTokenRow(project=4)])
        for project, token in ((3, "a"), (4, "b"), (3, "c"), (3, "d")):
            add_webhook_token(session, project, token)
            session.flush()
        end_older_tokens(session, 3, "c")
    with database.begin() as session:
        accepted = find_accepted_tokens(session)

    assert [accepted.has(token) for token in "abcd"] == [False, True, True, True]
    assert accepted.computed_projects == {4}


def test_an_unknown_token_ends_nothing(database):
    with database.begin() as session:
        add_webhook_token(session, 3, "a")
        end_older_tokens(session, 3, "unknown")
        assert find_accepted_tokens(session).has("a")


def test_the_computed_token_is_accepted_for_projects_that_were_not_connected_again():
    fresh, upgraded = AcceptedTokens(), AcceptedTokens(frozenset({"x"}), frozenset({4}))

    assert fresh.takes_computed_token()
    assert fresh.takes_computed_token(3)
    assert upgraded.takes_computed_token()
    assert upgraded.takes_computed_token(4)
    assert not upgraded.takes_computed_token(3)
    assert not AcceptedTokens(frozenset({"x"})).takes_computed_token()

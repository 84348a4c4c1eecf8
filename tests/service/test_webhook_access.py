"""What the server and the commands know of tokens."""

import pytest

from ris.errors import StoreError
from ris.labelstudio.api.connecting import make_webhook_token
from ris.service.webhook_access import ProjectTokens, TokenReader


def test_tokens_are_random_and_one_replaces_another(database):
    tokens, reader = ProjectTokens(database, "open"), TokenReader(database)
    first, other, second = tokens.make(3), tokens.make(4), tokens.make(3)

    assert len({first, other, second}) == 3
    assert all(reader.read().has(token) for token in (first, other, second))
    tokens.end_older(3, second)
    assert [reader.read().has(token) for token in (first, other, second)] == [False, True, True]
    assert (tokens.is_current(3, second), tokens.is_current(3, other)) == (True, False)


def test_the_computed_token_is_known_by_the_password(database):
    tokens = ProjectTokens(database, "open")

    assert tokens.is_computed(make_webhook_token("open"))
    assert not any(tokens.is_computed(token) for token in ("", "open", make_webhook_token("other"), "\ud800"))


def test_without_the_database_the_last_answer_counts_and_at_first_there_is_none(database):
    class Broken:
        def begin(self):
            raise StoreError("gone")

    with pytest.raises(StoreError, match="tokens cannot be checked"):
        TokenReader(Broken()).read()
    reader, token = TokenReader(database), ProjectTokens(database, "open").make(3)
    assert reader.read().has(token)
    reader._database = Broken()
    assert reader.read().has(token)

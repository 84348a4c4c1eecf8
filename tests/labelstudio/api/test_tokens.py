"""The expiry of API keys."""

from datetime import UTC, datetime

import pytest

from ris.labelstudio.api.tokens import read_expiry
from tests.labelstudio.studio import LEGACY, jwt


@pytest.mark.parametrize("key", [LEGACY, "", "a.b.c", "a.!!.c", "x." + "e30" + ".y"])
def test_what_is_no_token_with_an_end_has_none(key):
    assert read_expiry(key) is None


def test_the_end_of_a_personal_access_token_is_in_utc():
    expiry = read_expiry(jwt("refresh", 3600))

    assert expiry is not None
    assert expiry.tzinfo is UTC
    assert 3590 < (expiry - datetime.now(UTC)).total_seconds() <= 3600

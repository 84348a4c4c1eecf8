from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from ris.assembly import compute_model_version, get_webhook_headers
from ris.config import Settings
from ris.labelstudio.api.connecting import make_webhook_token
from ris.pretrained.catalog.presets import PRESETS, TINY
from ris.pretrained.catalog.sources import Source

ONE, OTHER = (Source(name, "spacy", folder=Path("/data") / name) for name in ("one", "other"))


def test_the_version_is_that_of_the_preset_and_stays():
    assert compute_model_version(TINY, "weights") == compute_model_version(TINY, "weights")
    assert compute_model_version(TINY, "weights").startswith("tiny-")


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
@pytest.mark.parametrize("changed", [{"rectifier": "plain words"}, {"synonyms": "released"}], ids=str)
def test_another_rule_is_another_version(preset, changed):
    other = replace(preset, lgd=replace(preset.lgd, **changed))

    assert (compute_model_version(other, "weights") == compute_model_version(preset, "weights")) == (
        other == preset
    )


def test_which_method_reads_with_which_parser_is_a_part_of_the_version():
    """The same files are there in each case, so their digest says nothing of it."""
    presets = [
        replace(TINY, global_local_parser=ONE, lgd_parser=OTHER),
        replace(TINY, global_local_parser=OTHER, lgd_parser=ONE),
        replace(TINY, global_local_parser=ONE, iterprime_parser=OTHER),
        replace(TINY, parser=ONE, lgd_parser=OTHER),
    ]

    assert len({compute_model_version(preset, "weights") for preset in presets}) == 4


def test_a_summary_changes_no_version():
    assert compute_model_version(replace(TINY, summary="other words"), "weights") == compute_model_version(
        TINY, "weights"
    )


def test_a_server_with_a_password_asks_webhooks_for_a_token_and_one_without_for_nothing():
    open_to_all, guarded = Settings(), Settings(basic_auth_password=SecretStr("open"))

    assert get_webhook_headers(open_to_all) == {}
    assert get_webhook_headers(guarded) == {"Authorization": f"Bearer {make_webhook_token('open')}"}

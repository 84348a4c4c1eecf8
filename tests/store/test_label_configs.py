from datetime import UTC, datetime, timedelta

import pytest

from ris.store.label_configs import (
    find_current_label_configs,
    find_label_config_at,
    find_label_config_periods,
    save_label_config,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)

PROJECT = "1.1700000000"


def at(minutes):
    return NOW + timedelta(minutes=minutes)


@pytest.fixture
def configs(database):
    """<A/> was seen from 0 to 10, <B/> from 20 to 30; they are stored in any order."""
    with database.begin() as session:
        for text, minutes in (
            ("<A/>", 5),
            ("<B/>", 30),
            ("<A/>", 0),
            ("<A/>", 10),
            ("<B/>", 20),
            ("<A/>", 5),
        ):
            save_label_config(session, PROJECT, text, at=at(minutes))
        save_label_config(session, "2.1", "<C/>", at=at(5))
        return find_label_config_periods(session, PROJECT)


@pytest.mark.parametrize(
    ("minutes", "config"),
    [(0, "<A/>"), (5, "<A/>"), (10, "<A/>"), (25, "<B/>"), (-1, None), (15, None), (31, None)],
)
def test_the_config_of_a_time_is_known_between_its_first_and_its_last_sighting(configs, minutes, config):
    assert find_label_config_at(configs, at(minutes)) == config


def test_a_config_that_was_brought_back_leaves_the_time_between_unknown(configs, database):
    with database.begin() as session:
        save_label_config(session, PROJECT, "<A/>", at=at(40))
        back = find_label_config_periods(session, PROJECT)

    assert find_label_config_at(back, at(25)) is None
    assert find_label_config_at(back, at(35)) == "<A/>"


def test_a_config_is_kept_once(configs):
    assert len(configs) == 2


def test_the_current_label_config_is_known_by_answers_where_no_setup_came(database, configs):
    with database.begin() as session:
        assert find_current_label_configs(session) == {PROJECT: "<B/>", "2.1": "<C/>"}

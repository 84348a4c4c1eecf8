from datetime import date

from ris.evaluation.decisions.cells import Progress, ReportNames
from ris.store.names import NamedProject
from ris.store.progress import DayCount
from ris.web.dashboard_tables import make_day_table, make_inbox_table, make_project_table
from tests.builders.records import NOW

NAMES = ReportNames({"1.5": "Kitchen"})


def test_a_project_shows_its_answered_tasks_as_of_the_last_sync():
    counts = {"1.5": (4, date(2026, 1, 2)), "2.6": (1, date(2026, 1, 1))}

    table = make_project_table(counts, {"1.5": NamedProject("Kitchen", 10, 3, NOW)}, NAMES)

    assert table.rows == [
        ["Kitchen (1)", Progress(3, 10), "2026-01-02 03:04 UTC", "4", "2026-01-02"],
        ["project 2", "-", "-", "1", "2026-01-01"],
    ]


def test_a_project_without_a_decision_is_shown_too():
    table = make_project_table({}, {"1.5": NamedProject("Kitchen", 10, 0, NOW)}, NAMES)

    assert table.rows == [["Kitchen (1)", Progress(0, 10), "2026-01-02 03:04 UTC", "0", "-"]]


def test_days_are_compared_with_the_best_one():
    days = [DayCount("1.5", date(2026, 1, 2), 3), DayCount("1.5", date(2026, 1, 1), 6)]

    assert [row[-1] for row in make_day_table(days, NAMES).rows] == [Progress(3, 6), Progress(6, 6)]


def test_webhook_events_have_states_in_words():
    table = make_inbox_table({"new": 1, "failed": 3})

    assert table.rows == [("waiting", "1"), ("failed", "3")]

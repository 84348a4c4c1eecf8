"""The tables of the page at `/` that are counts: progress, days, webhook events, sync and failures."""

from collections.abc import Mapping, Sequence
from datetime import date

from ris.core.types import Verdict
from ris.evaluation.decisions.cells import Progress, ReportNames, ReportTable
from ris.labelstudio.failure import find_advice
from ris.service import SyncResult
from ris.store.failures import FailureGroup
from ris.store.names import NamedProject
from ris.store.progress import DayCount
from ris.store.sync_states import SyncState


def make_project_table(
    counts: Mapping[str, tuple[int, date]], named: Mapping[str, NamedProject], names: ReportNames
) -> ReportTable:
    """Make the table of the progress of each project.

    Args:
        counts: by project, the number of decisions and the day of the last one.
        named: what Label Studio said of each project at the last sync.
        names: of projects.
    """
    rows: list[list[str | Progress]] = []
    for key in sorted(counts.keys() | named.keys()):
        n_decisions, last = counts.get(key, (0, None))
        told = named.get(key)
        progress = Progress(told.n_answered, told.n_tasks) if told else "-"
        seen_at = f"{told.seen_at:%Y-%m-%d %H:%M} UTC" if told else "-"
        rows.append([names.name_project(key), progress, seen_at, str(n_decisions), str(last or "-")])
    return ReportTable(
        "Progress by project",
        ("project", "answered tasks", "as of", "decisions", "last decision"),
        rows,
        "Answered tasks are those with an annotation in Label Studio, as the last sync saw them; “-” without "
        "a key of Label Studio. Decisions are the current answers; a task can have several.",
    )


def make_day_table(days: Sequence[DayCount], names: ReportNames) -> ReportTable:
    """Make the table of decisions by day, newest first."""
    most = max((day.n_decisions for day in days), default=0)
    rows: list[list[str | Progress]] = [
        [str(day.day), names.name_project(day.project), str(day.n_decisions), Progress(day.n_decisions, most)]
        for day in days
    ]
    return ReportTable(
        "Decisions by day",
        ("day (UTC)", "project", "decisions", "of the best day"),
        rows,
        "The last days with a decision.",
    )


def make_verdict_table(verdicts: Mapping[Verdict, int]) -> ReportTable:
    """Make the table of decisions by verdict."""
    rows = [(verdict.value, str(n)) for verdict, n in verdicts.items()]
    return ReportTable("All decisions by verdict", ("verdict", "decisions"), rows)


def make_inbox_table(counts: Mapping[str, int]) -> ReportTable:
    """Make the table of the webhook events that are not done, by state."""
    words = {"new": "waiting", "failed": "failed"}
    rows = [(words[state], str(n)) for state, n in counts.items()]
    return ReportTable("Webhook events", ("state", "events"), rows)


def make_failure_table(failed: Sequence[FailureGroup]) -> ReportTable:
    """Make the table of answers that cannot be read, with what to do."""
    return ReportTable(
        "Failed answers",
        ("cause", "answers", "what to do", "newest"),
        [(g.cause, str(g.n_answers), find_advice(g.cause), g.newest.sentence) for g in failed],
    )


def make_sync_table(results: Sequence[SyncResult], names: ReportNames) -> ReportTable:
    """Make the table of the last sync of each project."""
    return ReportTable(
        "Last sync with Label Studio",
        ("project", "in Label Studio", "here", "added here", "deleted in Label Studio", "failed", "state"),
        [
            (
                names.name_project(result.project),
                "-" if result.n_in_label_studio is None else str(result.n_in_label_studio),
                str(result.n_recorded),
                str(result.n_applied), str(result.n_gone), str(result.n_failed),
                "in step" if result.is_in_sync else "not in step",
            )
            for result in results
        ],
    )  # fmt: skip


def make_sync_state_table(states: Sequence[SyncState]) -> ReportTable:
    """Make the table of how the sync of each project went, and its webhook, in words with the times."""
    rows = [
        (f"project {state.project}", state.summary, state.webhook_summary or "no fault") for state in states
    ]
    return ReportTable("Sync by project", ("project", "state", "webhook"), rows)

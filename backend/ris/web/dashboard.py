"""The page at `/`: figures of the decisions, failures, the inbox and the last sync."""

from collections.abc import Callable, Sequence

from flask import Blueprint, Response, request

from ris.core.versions import describe_version
from ris.labelstudio.failure import find_advice
from ris.service import SuggestionService, SyncResult
from ris.store.failures import FailureGroup, group_failures
from ris.store.history import count_verdicts, find_newest_decisions, find_project_keys
from ris.store.inbox import count_events, find_projects_with_corrections

_MAX_DECISIONS = 500  # decisions that are evaluated at each view; `ris report` evaluates all


def make_dashboard(
    suggesting: SuggestionService,
    ready: Callable[[], tuple[Response, int]],
    get_last_syncs: Callable[[], Sequence[SyncResult]],
) -> Blueprint:
    """Return the route over one backend; it only reads.

    Args:
        suggesting: gives the database, the worker and the version.
        ready: the answer for clients that do not ask for HTML.
        get_last_syncs: returns the last sync of every project.
    """
    routes = Blueprint("dashboard", __name__)

    @routes.get("/")
    def show_page() -> Response | tuple[Response, int]:
        """Answer browsers with the page, and other clients with the readiness in JSON."""
        if request.accept_mimetypes.best_match(["application/json", "text/html"]) != "text/html":
            return ready()
        # Imported here: the charts take a second to import, and /health must not wait for it.
        from ris.evaluation.decisions.html_report import ReportTable, render_page
        from ris.evaluation.decisions.metrics import evaluate_decision

        with suggesting.database.begin() as session:
            newest, verdicts = find_newest_decisions(session, _MAX_DECISIONS), count_verdicts(session)
            counts, projects = count_events(session), find_project_keys(session)
            with_corrections, failed = find_projects_with_corrections(session), group_failures(session)
        models = suggesting.worker.get_state()
        warnings = [
            f"no webhook has come from project {key.split('.')[0]} yet; run `ris connect`"
            for key in projects
            if key not in with_corrections
        ]
        if models.is_failed:
            warnings.insert(0, f"the models could not be loaded: {models.reason}")
        n_decisions = sum(verdicts.values())
        if n_decisions > len(newest):
            warnings.append(
                f"figures and charts show the newest {len(newest)} of {n_decisions} decisions; "
                "`ris report` shows all"
            )
        decided = ReportTable(
            "All decisions", ("verdict", "decisions"), [(v.value, str(n)) for v, n in verdicts.items()]
        )
        inbox = ReportTable("Inbox", ("state", "events"), [(s, str(n)) for s, n in counts.items()])
        not_understood = ReportTable(
            "Failed answers",
            ("cause", "answers", "what to do", "newest"),
            [(g.cause, str(g.n_answers), find_advice(g.cause), g.newest.sentence) for g in failed],
        )
        sync = ReportTable(
            "Last sync with Label Studio",
            ("project", "in Label Studio", "here", "applied", "deleted", "failed", ""),
            [_to_row(result) for result in get_last_syncs()],
        )
        text = render_page(
            [evaluate_decision(decision) for decision in newest],
            title="Referring-expression segmentation: what the annotators decided",
            subtitle=f"decisions: {n_decisions}; {describe_version(suggesting.version)}, models {models}",
            alarms=_make_alarms(failed),
            warnings=warnings,
            extra_tables=[decided, inbox, not_understood, sync],
            footer="`ris report` writes this page with pictures.",
        )
        return Response(text, content_type="text/html; charset=utf-8")

    return routes


def _make_alarms(failed: Sequence[FailureGroup]) -> list[str]:
    n_answers = sum(group.n_answers for group in failed)
    if not n_answers:
        return []
    subject = "1 answer cannot be read and is not a decision"
    if n_answers > 1:
        subject = f"{n_answers} answers cannot be read and are not decisions"
    return [f"{subject}; the table below says what to do"]


def _to_row(result: SyncResult) -> tuple[str, ...]:
    state = "agree" if result.is_in_sync else "differ"
    counts = (result.n_in_label_studio, result.n_recorded, result.n_applied, result.n_gone, result.n_failed)
    return result.project, *map(str, counts), state

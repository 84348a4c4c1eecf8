"""The page at `/` for the lead of a labelling team: progress, disputes, misses, failures and figures."""

import textwrap
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from ris.core.decision import Decision, JudgedAnswer
from ris.core.types import LargeImage, Task
from ris.core.versions import describe_version
from ris.errors import ImageError, InputError
from ris.evaluation.decisions.named import MAX_DISPUTES, load_report_names, make_dispute_table
from ris.labelstudio.links import make_task_address
from ris.referring.kinds import find_kind
from ris.store.disputes import find_disputes
from ris.store.failures import FailureGroup, group_failures
from ris.store.history import find_decisions, find_project_keys, find_projects_with_corrections
from ris.store.inbox import count_unfinished_events
from ris.store.judged import find_newest_judged_answers
from ris.store.names import find_project_names
from ris.store.progress import count_by_day, count_by_project, count_verdicts, find_annotators
from ris.store.session import Session
from ris.store.sync_states import find_sync_states
from ris.web.dashboard_tables import (
    make_day_table,
    make_failure_table,
    make_inbox_table,
    make_project_table,
    make_sync_state_table,
    make_sync_table,
    make_verdict_table,
)
from ris.web.filters import PageFilter, make_filter_fields, read_page_filter
from ris.web.handlers import Services
from ris.web.headers import DRAWING_SECURITY_POLICY

if TYPE_CHECKING:
    from ris.evaluation.decisions.table import DecisionTable

_MAX_ANSWERS = 1000  # answers that are evaluated at each view; `ris report` evaluates all
_N_DAYS = 14
_TITLE = "Referring-expression segmentation: what the annotators decided"
_FOLDER = Path(__file__).parent


def make_dashboard(backend: Services, ready: Callable[[], tuple[Response, int]]) -> Blueprint:
    """Return the routes of the page, its pictures, its style and its script; they only read.

    Args:
        backend: the services.
        ready: the answer at `/` for clients that do not ask for HTML.
    """
    routes = Blueprint("dashboard", __name__)

    @routes.get("/")
    def show_page() -> Response | tuple[Response, int]:
        """Answer browsers with the page, and other clients with the readiness in JSON."""
        if request.accept_mimetypes.best_match(["application/json", "text/html"]) != "text/html":
            return ready()
        return _render_dashboard(backend)

    @routes.get("/static/page.css")
    def get_style() -> Response:
        """Answer with the style of the page, which is that of the report."""
        from ris.evaluation.decisions.html_report import TEMPLATES

        return Response((TEMPLATES / "page.css").read_bytes(), content_type="text/css; charset=utf-8")

    @routes.get("/static/refresh.js")
    def get_script() -> Response:
        """Answer with the script that reads the page again."""
        script = (_FOLDER / "static" / "refresh.js").read_bytes()
        return Response(script, content_type="text/javascript; charset=utf-8")

    @routes.get("/charts/<name>.svg")
    def get_chart(name: str) -> Response:
        """Answer with one chart for the filter in the address, so that the page need not wait for it."""
        from ris.evaluation.decisions.charts import draw_chart
        from ris.evaluation.decisions.table import make_decision_table

        with backend.suggesting.database.begin() as session:
            table = make_decision_table(_find_answers(session, read_page_filter(request.args)))
        drawing = Response(draw_chart(table, name), content_type="image/svg+xml")
        drawing.headers["Content-Security-Policy"] = DRAWING_SECURITY_POLICY
        return drawing

    @routes.get("/decisions/<int:row_id>.jpg")
    def get_picture(row_id: int) -> Response:
        """Answer with the picture of a decision; its image is fetched."""
        from ris.evaluation.decisions.galleries import draw_decision

        with backend.suggesting.database.begin() as session:
            decisions = find_decisions(session, [row_id]) if row_id < 2**31 else []
        if not decisions:
            raise InputError(f"there is no decision {row_id}")
        try:
            image = backend.suggesting.fetch(decisions[0].correction.annotation.task)
            if isinstance(image, LargeImage):
                image = backend.suggesting.load_large_soon(image).result(timeout=backend.deadline_s)
        except ImageError as error:
            return Response(_draw_sentence(str(error)), 422, content_type="image/svg+xml")
        return Response(draw_decision(decisions[0], image), content_type="image/jpeg")

    return routes


def _render_dashboard(backend: Services) -> Response:
    """Render the page for the filter in the address of the current request.

    Raises:
        InputError: a filter is not valid.
    """
    # Imported here: the charts take a second to import, and /health must not wait for it.
    from ris.evaluation.decisions.galleries import make_galleries
    from ris.evaluation.decisions.html_report import make_environment, make_figures
    from ris.evaluation.decisions.table import make_decision_table

    shown = read_page_filter(request.args)
    chosen = shown.chosen

    def link_task(task: Task) -> str:
        return make_task_address(backend.studio_url, task)

    def show_picture(row_id: int, decision: Decision) -> str:
        return f"decisions/{row_id}.jpg"

    with backend.suggesting.database.begin() as session:
        names, keys = load_report_names(session), find_project_keys(session)
        verdicts, failed = count_verdicts(session, chosen), group_failures(session)
        first_tables = [
            make_project_table(count_by_project(session, chosen), find_project_names(session), names),
            make_day_table(count_by_day(session, chosen, n_days=_N_DAYS), names),
            make_dispute_table(find_disputes(session, chosen, limit=MAX_DISPUTES), names, link_task),
        ]
        table = make_decision_table(_find_answers(session, shown))
        galleries = make_galleries(table, lambda ids: find_decisions(session, ids), show_picture, link_task)
        state_tables = [
            make_inbox_table(count_unfinished_events(session)),
            make_sync_table(backend.get_last_syncs(), names),
            make_sync_state_table(find_sync_states(session)),
            make_failure_table(failed),
        ]
        fields = make_filter_fields(shown, keys, find_annotators(session), names)
        with_corrections = find_projects_with_corrections(session)
        silent = [key for key in keys if key not in with_corrections]
    figures = make_figures(table, names)
    figures["tables"] = [*state_tables, make_verdict_table(verdicts), *figures["tables"]]
    n_decisions = sum(verdicts.values())
    models = backend.suggesting.worker.get_state()
    page = make_environment(_FOLDER / "templates").get_template("dashboard.html").render(
        title=_TITLE,
        subtitle=f"decisions: {n_decisions}; {describe_version(backend.suggesting.version)}, models {models}",
        alarms=_make_alarms(failed),
        warnings=_make_warnings(models, silent),
        filters=fields,
        window=_describe_window(shown, len(table), n_decisions),
        first_tables=first_tables,
        galleries=galleries,
        charts=_make_chart_addresses(table, n_decisions),
        footer="The page reads itself again every 30 seconds. `ris report` writes one on all decisions.",
        **figures,
    )  # fmt: skip
    return Response(page, content_type="text/html; charset=utf-8")


def _make_chart_addresses(table: "DecisionTable", n_decisions: int) -> dict[str, str]:
    """Return the addresses of the charts by title. They change with the decisions: browsers keep pictures."""
    from ris.evaluation.decisions.charts import find_charts

    newest = int(table.rows["row_id"].max(initial=0))
    query = urlencode([*request.args.items(multi=True), ("of", f"{n_decisions}-{newest}")])
    return {title: f"charts/{name}.svg?{query}" for name, title in find_charts(table).items()}


def _draw_sentence(text: str) -> str:
    """Return a picture of a sentence, which the page shows in place of a picture that it cannot have."""
    lines = textwrap.wrap(text, 60)[:6]
    spans = "".join(f'<tspan x="8" dy="18">{escape(line)}</tspan>' for line in lines)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="420" height="130"><rect width="420" height="130" '
        f'fill="#eee"/><text y="8" font-family="sans-serif" font-size="13" fill="#444">{spans}</text></svg>'
    )


def _find_answers(session: Session, shown: PageFilter) -> list[JudgedAnswer]:
    newest = find_newest_judged_answers(session, _MAX_ANSWERS, shown.chosen)
    return [answer for answer in newest if shown.kind in (None, find_kind(answer.task.expression))]


def _describe_window(shown: PageFilter, n_shown: int, n_decisions: int) -> str:
    """Say which decisions the figures, pictures and charts are of."""
    if shown.kind is not None:
        return (
            f"Figures, pictures and charts are of {n_shown} decisions of kind {shown.kind!r} among the "
            f"newest {min(_MAX_ANSWERS, n_decisions)} of {n_decisions}; the counts by project and day are of "
            "all kinds."
        )
    if n_decisions > n_shown:
        return (
            f"Figures, pictures and charts are of the newest {n_shown} of {n_decisions} decisions; the "
            "counts by project, day and verdict are of all."
        )
    return f"All figures are of {n_decisions} decisions."


def _make_warnings(models: Any, silent: Sequence[str]) -> list[str]:
    warnings = [
        f"no webhook has come from project {key.split('.')[0]} yet; run `ris connect`" for key in silent
    ]
    if models.is_failed:
        warnings.insert(0, f"the models could not be loaded: {models.reason}")
    return warnings


def _make_alarms(failed: Sequence[FailureGroup]) -> list[str]:
    n_answers = sum(group.n_answers for group in failed)
    if not n_answers:
        return []
    subject = "1 answer cannot be read and is not a decision"
    if n_answers > 1:
        subject = f"{n_answers} answers cannot be read and are not decisions"
    return [f"{subject}; the table “Failed answers” says what to do"]

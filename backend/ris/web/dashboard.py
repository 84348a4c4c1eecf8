"""The page at `/` for people: what the decisions say, and whether decisions arrive at all."""

from collections.abc import Callable, Sequence

from flask import Blueprint, Response, request

from ris.labelstudio.failure import find_advice
from ris.service import Suggesting, Synced
from ris.store.failures import FailureGroup, failure_groups
from ris.store.history import decisions, projects
from ris.store.inbox import event_counts, projects_heard_of

MOST = 5000  # decisions that are drawn; `ris report` takes them all


def dashboard(
    suggesting: Suggesting, ready: Callable[[], tuple[Response, int]], synced: Callable[[], Sequence[Synced]]
) -> Blueprint:
    """The route over one backend; read-only.

    Args:
        ready: what programs that ask for `/` are answered.
        synced: the last sync of every project.
    """
    routes = Blueprint("dashboard", __name__)

    @routes.get("/")
    def show() -> Response | tuple[Response, int]:
        """A page for browsers, the readiness in JSON for everybody else."""
        if request.accept_mimetypes.best_match(["application/json", "text/html"]) != "text/html":
            return ready()
        # Here, because drawing takes a second to import and /health must not wait for it.
        from ris.evaluation.decisions.html_report import Table, page
        from ris.evaluation.decisions.metrics import judged

        with suggesting.database.begin() as session:
            found = list(decisions(session))
            counts, known = event_counts(session), projects(session)
            heard, failed = projects_heard_of(session), failure_groups(session)
        state = suggesting.worker.state()
        warnings = [
            f"no webhook seen for project {key.split('.')[0]} yet" for key in known if key not in heard
        ]
        if state not in ("ready", "loading"):
            warnings.insert(0, f"the models could not be loaded: {state}")
        if len(found) > MOST:
            warnings.append(f"the newest {MOST} of {len(found)} decisions are shown; `ris report` takes all")
        inbox = Table("The inbox", ("state", "events"), [(s, str(n)) for s, n in counts.items()])
        not_understood = Table(
            "Not understood",
            ("cause", "answers", "what to do", "the newest"),
            [(g.cause, str(g.n_answers), find_advice(g.cause), g.newest.sentence) for g in failed],
        )
        sync = Table(
            "The last sync with Label Studio",
            ("project", "in Label Studio", "here", "applied", "gone", "not understood", ""),
            [_row(done) for done in synced()],
        )
        text = page(
            [judged(d) for d in found[-MOST:]],
            title="Referring-expression segmentation: what the annotators decided",
            about=f"{len(found)} decisions; {suggesting.version}, models {state}",
            alarms=_alarms(failed),
            warnings=warnings,
            more=[inbox, not_understood, sync],
            footer="`ris report` writes this with pictures.",
        )
        return Response(text, content_type="text/html; charset=utf-8")

    return routes


def _alarms(failed: Sequence[FailureGroup]) -> list[str]:
    n_answers = sum(group.n_answers for group in failed)
    if not n_answers:
        return []
    what = "answer is not understood and is no decision"
    if n_answers > 1:
        what = "answers are not understood and are no decisions"
    return [f"{n_answers} {what}; the table below says what to do"]


def _row(done: Synced) -> tuple[str, ...]:
    verdict = "agree" if done.agrees else "differ"
    counts = (done.there, done.here, done.applied, done.gone, done.failed)
    return done.project, *map(str, counts), verdict

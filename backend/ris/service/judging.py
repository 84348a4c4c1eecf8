"""Judge an answer of an event: compare it with the alternatives that its annotator saw."""

from collections.abc import Sequence

from ris.core.comparison import Comparison, compare_answer
from ris.core.types import Alternative, Annotation, Correction
from ris.core.verdict import judge_annotation
from ris.labelstudio.event import WebhookEvent
from ris.labelstudio.region import to_shown_alternative
from ris.store.alternatives import find_answer_alternatives
from ris.store.session import Session


def judge_event_answer(
    session: Session, annotation: Annotation, event: WebhookEvent
) -> tuple[Correction, str | None, Comparison]:
    """Judge an answer.

    Args:
        session: of the database, which has the alternatives.
        annotation: the answer.
        event: that brought it; its label config says how alternatives were shown.

    Returns:
        The judged answer, the version of the alternatives (None without any), and the comparison with them.
    """
    alternatives = select_shown_alternatives(find_answer_alternatives(session, [annotation])[0], annotation)
    shown = [to_shown_alternative(one, event.controls) for one in alternatives] if event.controls else []
    version = alternatives[0].suggestion.version if alternatives else None
    correction = judge_annotation(annotation, shown)
    mask = annotation.mask if correction.verdict.has_mask else None
    return correction, version, compare_answer(mask, alternatives)


def select_shown_alternatives(
    alternatives: Sequence[Alternative], annotation: Annotation
) -> tuple[Alternative, ...]:
    """Return the alternatives that the annotator saw: of the version of its region ids, else the newest.

    Args:
        alternatives: of every version, newest version first.
        annotation: the answer.
    """
    if not alternatives:
        return ()
    versions = [a.suggestion.version for a in alternatives if a.region_id in annotation.region_ids]
    version = versions[0] if versions else alternatives[0].suggestion.version
    return tuple(one for one in alternatives if one.suggestion.version == version)

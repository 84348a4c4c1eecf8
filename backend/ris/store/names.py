"""Keep the names of projects and annotators in Label Studio, for pages and reports."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ris.store.schema import AnnotatorNameRow, ProjectNameRow


@dataclass(frozen=True, slots=True)
class NamedProject:
    """What Label Studio said of a project.

    Attributes:
        title: its title.
        n_tasks: number of its tasks.
        n_answered: number of its tasks with an annotation.
        seen_at: when Label Studio said so.
    """

    title: str
    n_tasks: int
    n_answered: int
    seen_at: datetime


def save_project_name(session: Session, project: str, named: NamedProject) -> None:
    """Store what Label Studio says of a project now."""
    session.merge(
        ProjectNameRow(
            project=project, title=named.title, n_tasks=named.n_tasks, n_answered=named.n_answered,
            seen_at=named.seen_at,
        )
    )  # fmt: skip


def save_annotator_names(session: Session, names: Mapping[int, str], *, now: datetime) -> None:
    """Store the names of annotators by their ids."""
    for annotator, name in names.items():
        session.merge(AnnotatorNameRow(annotator=annotator, name=name, seen_at=now))


def find_project_names(session: Session) -> dict[str, NamedProject]:
    """Return what Label Studio said of each project, by its key."""
    return {
        row.project: NamedProject(row.title, row.n_tasks, row.n_answered, row.seen_at)
        for row in session.scalars(select(ProjectNameRow))
    }


def find_annotator_names(session: Session) -> dict[int, str]:
    """Return the names of annotators by their ids."""
    return {row.annotator: row.name for row in session.scalars(select(AnnotatorNameRow))}

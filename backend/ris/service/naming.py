"""Store the names of a project and of the annotators in Label Studio, for the page at `/` and the report."""

import logging
from datetime import datetime

from ris.errors import LabelStudioRefusal
from ris.labelstudio.api.projects import fetch_user_names
from ris.labelstudio.api.protocol import LabelStudioApi
from ris.labelstudio.api.sync import ProjectState
from ris.labelstudio.storable import to_storable
from ris.store.names import NamedProject, save_annotator_names, save_project_name
from ris.store.session import Database

log = logging.getLogger(__name__)


def save_names(database: Database, api: LabelStudioApi, project: ProjectState, *, now: datetime) -> None:
    """Store the title and the progress of a project, and the names of all users.

    Where the user of our key may not list users, annotators keep the names they have, or their numbers.

    Raises:
        LabelStudioError: Label Studio did not answer.
    """
    title = str(to_storable(project.title))
    named = NamedProject(title, project.n_tasks, project.n_answered, now)
    with database.begin() as session:
        save_project_name(session, project.key, named)
    try:
        names = fetch_user_names(api)
    except LabelStudioRefusal as error:
        log.info("the names of annotators cannot be read; the page shows their numbers: %s", error)
        return
    with database.begin() as session:
        save_annotator_names(session, {user: str(to_storable(name)) for user, name in names.items()}, now=now)

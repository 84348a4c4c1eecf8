"""Ask for a project and what is connected to it."""

from ris.errors import LabelStudioError
from ris.labelstudio.api.answers import (
    ListedUserAnswer,
    MLBackendAnswer,
    ProjectAnswer,
    ProjectPageAnswer,
    UploadAnswer,
    WebhookAnswer,
    check_answer,
)
from ris.labelstudio.api.protocol import LabelStudioApi

_MAX_SIMILAR_TITLES = 100


def fetch_project(api: LabelStudioApi, number: int) -> ProjectAnswer:
    """Fetch a project.

    Raises:
        LabelStudioMissing: there is none of this number.
        LabelStudioError: Label Studio did not answer, refused, or its answer is no project of this number.
    """
    # Label Studio counts seven things of a project unless told which: 3 s for a million tasks. It leaves out
    # every other field that is not named, too.
    fields = ",".join(ProjectAnswer.__annotations__)
    listed = api.call("GET", f"/api/projects/{number}", include=fields)
    answer = check_answer(listed, ProjectAnswer, f"project {number}")
    if answer["id"] != number:
        raise LabelStudioError(f"Label Studio answered with project {answer['id']} when asked for {number}")
    return answer


def find_projects_by_title(api: LabelStudioApi, title: str) -> list[int]:
    """Find the numbers of the projects with exactly this title, in order; at most 100 similar ones are read.

    Raises:
        LabelStudioError: Label Studio did not answer, refused, or its answer is no list of projects.
    """
    answer = api.call("GET", "/api/projects", title=title, include="id,title", page_size=_MAX_SIMILAR_TITLES)
    found = check_answer(answer, ProjectPageAnswer, f"the projects with the title {title!r:.60}")["results"]
    return sorted(project["id"] for project in found if project.get("title") == title)


def fetch_ml_backends(api: LabelStudioApi, number: int) -> list[MLBackendAnswer]:
    """Fetch the ML backends of a project.

    Raises:
        LabelStudioError: Label Studio did not answer, refused, or its answer is no list of them.
    """
    answer = api.call("GET", "/api/ml", project=number)
    return check_answer(answer, list[MLBackendAnswer], f"the ML backends of project {number}")


def fetch_webhooks(api: LabelStudioApi, number: int) -> list[WebhookAnswer]:
    """Fetch the webhooks of a project.

    Raises:
        LabelStudioError: Label Studio did not answer, refused, or its answer is no list of them.
    """
    answer = api.call("GET", "/api/webhooks/", project=number)
    return check_answer(answer, list[WebhookAnswer], f"the webhooks of project {number}")


def fetch_uploads(api: LabelStudioApi, number: int) -> list[UploadAnswer]:
    """Fetch the list of the files that were uploaded to a project.

    Raises:
        LabelStudioError: Label Studio did not answer, refused, or its answer is no list of them.
    """
    answer = api.call("GET", f"/api/projects/{number}/file-uploads", all="true")
    return check_answer(answer, list[UploadAnswer], f"the files of project {number}")


def fetch_user_names(api: LabelStudioApi) -> dict[int, str]:
    """Fetch the names of the users, by their ids: first and last name, else the user name.

    Raises:
        LabelStudioRefusal: the user of our key may not list users.
        LabelStudioError: Label Studio did not answer, or its answer is no list of users.
    """
    users = check_answer(api.call("GET", "/api/users"), list[ListedUserAnswer], "the users")
    names = {}
    for user in users:
        full_name = f"{user.get('first_name') or ''} {user.get('last_name') or ''}".strip()
        if name := full_name or user.get("username"):
            names[user["id"]] = name
    return names

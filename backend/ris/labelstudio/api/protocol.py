"""What the rest of `ris` needs of Label Studio's API; `client.LabelStudioClient` implements it."""

from datetime import datetime
from typing import Any, Protocol


class LabelStudioApi(Protocol):
    """One Label Studio, called as one user.

    Every method raises `LabelStudioError` when Label Studio does not answer or refuses.
    """

    def call(self, method: str, path: str, body: object = None, **params: Any) -> Any:
        """Call one route; return the JSON of the response, None if it has no body."""

    def exists(self, path: str) -> bool:
        """Tell whether the API has something at a path: False for 404."""

    def read_server_time(self) -> datetime | None:
        """Return the time of the server's clock, None if the server does not say it."""


class WebhookTokens(Protocol):
    """The tokens with which our server accepts webhooks; `service.webhook_access.ProjectTokens` has them.

    Projects are named by their numbers.
    """

    def make(self, project: int) -> str:
        """Make a token for a project, and accept it besides those that the project has."""

    def is_current(self, project: int, token: str) -> bool:
        """Tell whether a token is one of a project's."""

    def is_computed(self, token: str) -> bool:
        """Tell whether a token is the one that earlier versions computed from the password."""

    def end_older(self, project: int, token: str) -> None:
        """Accept no token any more that a project had before this one."""

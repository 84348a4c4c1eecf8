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

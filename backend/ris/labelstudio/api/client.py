"""Label Studio's API over HTTP. Our key is sent to the configured Label Studio only."""

import json
import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import httpx

from ris.errors import LabelStudioDenied, LabelStudioError, LabelStudioRefusal
from ris.labelstudio.api.certificates import to_connection_error
from ris.labelstudio.api.tokens import read_expiry
from ris.labelstudio.api.transport import open_client
from ris.redaction.messages import describe_error, shorten_message
from ris.redaction.text import redact_text

_STORED_FILE = re.compile(
    r'Failed to parse input file ([^\s:"/]+): Your label config has more than one data key'
)
_ADDRESS_HINT = "is RIS_LABEL_STUDIO_URL Label Studio's address, with its sub-path if it has one?"
_REFRESH_PATH = "/api/token/refresh/"
_REFRESH_MARGIN = timedelta(seconds=10)  # an access token that ends within this is renewed


class LabelStudioClient:
    """One Label Studio, called as one user. Threads may share it.

    Args:
        url: its address, as this process reaches it.
        api_key: a personal access token or a legacy token; None calls without a key.
        timeout_s: for connecting, and for each read and write of a call.
    """

    def __init__(self, url: str, api_key: str | None, *, timeout_s: float = 30.0) -> None:
        self.url, self.timeout_s = url.rstrip("/"), timeout_s
        self._key, self._access_token, self._lock = api_key, "", Lock()

    def __repr__(self) -> str:
        return f"LabelStudioClient({redact_text(self.url)!r})"

    def call(self, method: str, path: str, body: object = None, **params: Any) -> Any:
        """Call one route; return the JSON of the response, None if it has no body.

        Args:
            method: of HTTP, such as "GET".
            path: under the configured address, such as "/api/projects".
            body: sent as JSON; None sends no body.
            **params: the query.

        Raises:
            LabelStudioError: Label Studio did not answer, or refused; the message quotes its response.
        """
        response = self._request(method, path, headers=self.auth(), json=body, params=params or None)
        return self._parse_response(response, f"{method} {path}")

    def read_server_time(self) -> datetime | None:
        """Return the time of the server's clock, None if the server does not say it.

        Raises:
            LabelStudioError: Label Studio did not answer.
        """
        response = self._request("GET", "/health")
        try:
            return parsedate_to_datetime(response.headers.get("Date", ""))
        except (TypeError, ValueError):
            return None

    def exists(self, path: str) -> bool:
        """Tell whether the API has something at a path: False for 404.

        Raises:
            LabelStudioError: Label Studio did not answer, or refused with another status than 404.
        """
        response = self._request("GET", path, headers=self.auth())
        if response.status_code == 404:
            return False
        self._parse_response(response, f"GET {path}")
        return True

    def upload(self, project: int, name: str, data: bytes) -> str:
        """Store an image file in a project; return the reference that a task can use.

        Label Studio chooses the name of the stored file. For a project whose label config reads two data
        keys, such as an image and an expression, it answers 400 and stores the file all the same; that answer
        names the file.

        Raises:
            LabelStudioError: Label Studio did not answer, or refused.
        """
        path = f"/api/projects/{project}/import"
        response = self._request(
            "POST", path, headers=self.auth(),
            files={"file": (name, data)}, params={"commit_to_project": "false"},
        )  # fmt: skip
        if response.status_code == 400 and (stored := _STORED_FILE.search(_read_response_text(response))):
            return self._make_reference(f"upload/{project}/{stored[1]}")
        ids = (self._parse_response(response, f"POST {path}") or {}).get("file_upload_ids") or []
        if len(ids) != 1:
            raise LabelStudioError(
                f"Label Studio stored {len(ids)} files for one upload of {name}; upload it again"
            )
        return self._make_reference(self.call("GET", f"/api/import/file-upload/{ids[0]}")["file"])

    def remove_uploads(self, project: int, references: Collection[str]) -> None:
        """Remove uploaded files from a project.

        Args:
            project: its number.
            references: as `upload` returned them.

        Raises:
            LabelStudioError: Label Studio did not answer, or refused.
        """
        path = f"/api/projects/{project}/file-uploads"
        listed = self.call("GET", path, all="true") or ()
        ids = [one["id"] for one in listed if self._make_reference(str(one.get("file"))) in references]
        if ids:
            self.call("DELETE", path, {"file_upload_ids": ids})

    def _make_reference(self, stored: str) -> str:
        """Return a stored file's reference as Label Studio writes it: with the server's sub-path."""
        return f"{urlsplit(self.url).path}/data/{stored}"

    def auth(self) -> dict[str, str]:
        """Return the header that authenticates us.

        A personal access token is exchanged for an access token, which Label Studio accepts for 300 s; it is
        renewed when it ends.

        Raises:
            LabelStudioError: Label Studio does not answer, or does not accept our key.
        """
        if not self._key:
            return {}
        if not (self._key.isascii() and self._key.isprintable() and " " not in self._key):
            raise LabelStudioDenied(
                "RIS_LABEL_STUDIO_API_KEY has characters that no key has; copy it again from Label Studio"
            )
        expiry, now = read_expiry(self._key), datetime.now(UTC)
        if expiry is None:
            return {"Authorization": f"Token {self._key}"}
        if expiry <= now:
            raise LabelStudioDenied(
                f"Label Studio does not take RIS_LABEL_STUDIO_API_KEY (it ended on {expiry:%Y-%m-%d}): "
                "make a new one"
            )
        with self._lock:
            access_expiry = read_expiry(self._access_token)
            if access_expiry is None or access_expiry <= now + _REFRESH_MARGIN:
                self._access_token = self._fetch_access_token(self._key)
            return {"Authorization": f"Bearer {self._access_token}"}

    def _fetch_access_token(self, key: str) -> str:
        response = self._request("POST", _REFRESH_PATH, json={"refresh": key})
        if response.status_code in (400, 401, 403):
            raise LabelStudioDenied(
                f"Label Studio does not take RIS_LABEL_STUDIO_API_KEY ({response.status_code}): "
                "make a new one"
            )
        answer = self._parse_response(response, f"POST {_REFRESH_PATH}")
        token = answer.get("access") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token:
            raise LabelStudioError(f"{self.url} gave no access token: {_ADDRESS_HINT}")
        return token

    def _request(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            with open_client(httpx.URL(self.url), timeout_s=self.timeout_s) as http:
                return http.request(method, self.url + path, follow_redirects=True, **more)
        except httpx.InvalidURL as error:
            raise LabelStudioError(
                f"{self.url + path} is no address ({describe_error(error)}); check RIS_LABEL_STUDIO_URL"
            ) from error
        except (httpx.HTTPError, UnicodeError) as error:  # UnicodeError: of a host name that DNS cannot hold
            raise to_connection_error(f"Label Studio at {self.url}", error) from error

    def _parse_response(self, response: httpx.Response, call: str) -> Any:
        status = response.status_code
        if status in (401, 403):
            raise LabelStudioDenied(
                f"Label Studio answered {status} to {call}; check RIS_LABEL_STUDIO_API_KEY: "
                f"{shorten_message(response.text)}"
            )
        if status == 404 and not _is_json(response):
            raise LabelStudioRefusal(f"{self.url} answered 404 to {call}: {_ADDRESS_HINT}")
        if response.is_error:
            # After 408, 429 and every 5xx the call may have been done, or may be done when repeated.
            is_final = 400 <= status < 500 and status not in (408, 429)
            raise (LabelStudioRefusal if is_final else LabelStudioError)(
                f"Label Studio answered {status} to {call}: {shorten_message(response.text)}"
            )
        try:
            return response.json() if response.content else None
        except ValueError as error:
            raise LabelStudioError(f"{self.url} answered no JSON to {call}: {_ADDRESS_HINT}") from error


def _is_json(response: httpx.Response) -> bool:
    try:
        response.json()
    except ValueError:
        return False
    return True


def _read_response_text(response: httpx.Response) -> str:
    """Return a response's text, with escaped characters decoded if it is JSON."""
    try:
        return json.dumps(response.json(), ensure_ascii=False)
    except ValueError:
        return response.text

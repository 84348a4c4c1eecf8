"""Label Studio's API over HTTP. Our key is sent to the configured Label Studio only.

No redirect is followed: a request carries our key in its header, a token or the password of our server in its
body.
"""

import json
import re
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import httpx

from ris.errors import LabelStudioDenied, LabelStudioError, LabelStudioMissing, LabelStudioRefusal
from ris.labelstudio.api.answers import (
    NewUploadsAnswer,
    StoredFileAnswer,
    TokenAnswer,
    check_answer,
    parse_answer,
)
from ris.labelstudio.api.certificates import to_connection_error
from ris.labelstudio.api.projects import fetch_uploads
from ris.labelstudio.api.receiving import MAX_ANSWER_BYTES, open_limited_client, receive_content
from ris.labelstudio.api.tokens import read_expiry
from ris.redaction.messages import describe_error, shorten_message
from ris.redaction.text import redact_text

_STORED_FILE = re.compile(
    r'Failed to parse input file ([^\s:"/]+): Your label config has more than one data key'
)
_ADDRESS_HINT = "is RIS_LABEL_STUDIO_URL Label Studio's address, with its sub-path if it has one?"
_REFRESH_PATH = "/api/token/refresh/"
_REFRESH_MARGIN = timedelta(seconds=10)  # an access token that ends within this is renewed
# One answer takes less: a page of 200 MiB has 2 MB a second. It is shorter than `writing.WRITE_HOLD`.
ANSWER_LIMIT_S = 150.0


@dataclass(frozen=True, slots=True)
class _Answer:
    """The status of a response, its content, and the header Date ("" without)."""

    status: int
    content: bytes
    date: str

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")


class LabelStudioClient:
    """One Label Studio, called as one user. Threads may share it.

    Args:
        url: its address, as this process reaches it.
        api_key: a personal access token or a legacy token; None calls without a key.
        timeout_s: for connecting, and for each read and write of a call.
        answer_limit_s: from the last byte of a request to the last byte of its answer.
        total_s: for all calls together, counted from here; None: as long as they take.
    """

    def __init__(
        self,
        url: str,
        api_key: str | None,
        *,
        timeout_s: float = 30.0,
        answer_limit_s: float = ANSWER_LIMIT_S,
        total_s: float | None = None,
    ) -> None:
        self.url, self.timeout_s = url.rstrip("/"), timeout_s
        self.answer_limit_s, self.total_s = answer_limit_s, total_s
        self._until = None if total_s is None else time.monotonic() + total_s
        self._key, self._access_token, self._lock = api_key, "", Lock()

    def __repr__(self) -> str:
        return f"LabelStudioClient({redact_text(self.url)!r})"

    def call(self, method: str, path: str, body: object = None, **params: Any) -> Any:
        """Call one route; return the JSON of the response, None if it has no body.

        `answers.check_answer` checks what came.

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
            return parsedate_to_datetime(response.date).astimezone(UTC)
        except (TypeError, ValueError, OverflowError):
            return None

    def exists(self, path: str) -> bool:
        """Tell whether the API has something at a path: False for its own 404, not for a proxy's.

        Raises:
            LabelStudioError: Label Studio did not answer, or refused with another status than 404.
        """
        try:
            self.call("GET", path)
        except LabelStudioMissing:
            return False
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
        if response.status == 400 and (stored := _STORED_FILE.search(_read_response_text(response))):
            return self._make_reference(f"upload/{project}/{stored[1]}")
        answer = self._parse_response(response, f"POST {path}")
        ids = check_answer(answer, NewUploadsAnswer, f"the upload of {name}").get("file_upload_ids") or []
        if len(ids) != 1:
            raise LabelStudioError(
                f"Label Studio stored {len(ids)} files for one upload of {name}; upload it again"
            )
        upload = self.call("GET", f"/api/import/file-upload/{ids[0]}")
        return self._make_reference(check_answer(upload, StoredFileAnswer, f"the upload of {name}")["file"])

    def remove_uploads(self, project: int, references: Collection[str]) -> None:
        """Remove uploaded files from a project.

        Args:
            project: its number.
            references: as `upload` returned them.

        Raises:
            LabelStudioError: Label Studio did not answer, or refused.
        """
        listed = fetch_uploads(self, project)
        ids = [one["id"] for one in listed if self._make_reference(one["file"]) in references]
        if ids:
            self.call("DELETE", f"/api/projects/{project}/file-uploads", {"file_upload_ids": ids})

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
        if response.status in (400, 401, 403):
            raise LabelStudioDenied(
                f"Label Studio does not take RIS_LABEL_STUDIO_API_KEY ({response.status}): make a new one"
            )
        answer = self._parse_response(response, f"POST {_REFRESH_PATH}")
        try:
            token = check_answer(answer, TokenAnswer, "an access token")["access"]
        except LabelStudioError as error:
            raise LabelStudioError(f"{self.url} gave no access token: {_ADDRESS_HINT}") from error
        if not (token.isascii() and token.isprintable()):
            raise LabelStudioError(f"{self.url} gave an access token that no header can hold")
        return token

    def _request(self, method: str, path: str, **more: Any) -> _Answer:
        limit_s = self._find_limit()
        try:
            with (
                open_limited_client(
                    httpx.URL(self.url), timeout_s=min(self.timeout_s, limit_s), limit_s=limit_s
                ) as http,
                http.stream(method, self.url + path, follow_redirects=False, **more) as response,
            ):
                if response.next_request is not None:
                    raise LabelStudioError(self._explain_redirect(path, response.next_request.url))
                return _Answer(
                    response.status_code,
                    receive_content(response, MAX_ANSWER_BYTES),
                    response.headers.get("Date", ""),
                )
        except httpx.InvalidURL as error:
            raise LabelStudioError(
                f"{self.url + path} is no address ({describe_error(error)}); check RIS_LABEL_STUDIO_URL"
            ) from error
        except (httpx.HTTPError, UnicodeError) as error:  # UnicodeError: of a host name that DNS cannot hold
            raise to_connection_error(f"Label Studio at {self.url}", error) from error

    def _explain_redirect(self, path: str, target: httpx.URL) -> str:
        shown = shorten_message(str(target.copy_with(userinfo=b"", query=None, fragment=None)))
        return (
            f"{self.url + path} redirects to {shown}, and no key is sent there; set RIS_LABEL_STUDIO_URL to "
            "the address at which Label Studio answers itself"
        )

    def _find_limit(self) -> float:
        """Find how long the next answer may take, in seconds."""
        if self._until is None:
            return self.answer_limit_s
        left_s = self._until - time.monotonic()
        if left_s <= 0:
            raise LabelStudioError(
                f"Label Studio at {self.url} took more than {self.total_s:g} s for the calls of this command"
            )
        return min(self.answer_limit_s, left_s)

    def _parse_response(self, response: _Answer, call: str) -> Any:
        status = response.status
        if status in (401, 403):
            raise LabelStudioDenied(
                f"Label Studio answered {status} to {call}; check RIS_LABEL_STUDIO_API_KEY: "
                f"{shorten_message(response.text)}"
            )
        if status == 404 and not _is_json(response):
            raise LabelStudioRefusal(f"{self.url} answered 404 to {call}: {_ADDRESS_HINT}")
        if status >= 400:
            # After 408, 429 and every 5xx the call may have been done, or may be done when repeated.
            is_final = 400 <= status < 500 and status not in (408, 429)
            final = LabelStudioMissing if status == 404 else LabelStudioRefusal
            raise (final if is_final else LabelStudioError)(
                f"Label Studio answered {status} to {call}: {shorten_message(response.text)}"
            )
        if not 200 <= status < 300:
            raise LabelStudioError(f"{self.url} answered {status} to {call}: {_ADDRESS_HINT}")
        try:
            return parse_answer(response.content)
        except ValueError as error:
            raise LabelStudioError(f"{self.url} answered no JSON to {call}: {_ADDRESS_HINT}") from error


def _is_json(response: _Answer) -> bool:
    try:
        return isinstance(parse_answer(response.content), dict)
    except ValueError:
        return False


def _read_response_text(response: _Answer) -> str:
    """Return a response's text, with escaped characters decoded if it is JSON."""
    try:
        return json.dumps(parse_answer(response.content), ensure_ascii=False)
    except ValueError:
        return response.text

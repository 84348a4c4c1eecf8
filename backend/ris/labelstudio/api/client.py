"""Label Studio's API over HTTP, with our own key, which goes to the configured Label Studio alone."""

import json
import re
from collections.abc import Collection
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests

from ris.errors import LabelStudioDenied, LabelStudioError, LabelStudioRefusal
from ris.labelstudio.api.certificates import find_bundle, make_tls_context, to_connection_error

_STORED_FILE = re.compile(
    r'Failed to parse input file ([^\s:"/]+): Your label config has more than one data key'
)


class LabelStudioClient:
    """One Label Studio, as one user.

    Args:
        url: its address, as this process reaches it.
        api_key: a personal access token or a legacy token; None sends none.
        timeout_s: for one call.
    """

    def __init__(self, url: str, api_key: str | None, *, timeout_s: float = 30.0) -> None:
        self.url, self.timeout_s = url.rstrip("/"), timeout_s
        self._key = api_key
        self._sdk: Any = None

    def __repr__(self) -> str:
        return f"LabelStudioClient({self.url!r})"

    def call(self, method: str, path: str, body: object = None, **params: Any) -> Any:
        """One call of its API; the answer's JSON, None when it has none.

        Raises:
            LabelStudioError: it did not answer, or refused; the message has its own words.
        """
        answer = self._answer(method, path, headers=self.auth(), json=body, params=params)
        return self._parse_response(answer, f"{method} {path}")

    def read_server_time(self) -> datetime | None:
        """What time its server says that it is; None when it does not say.

        Raises:
            LabelStudioError: it did not answer.
        """
        answer = self._answer("GET", "/health", headers={})
        try:
            return parsedate_to_datetime(answer.headers.get("Date", ""))
        except (TypeError, ValueError):
            return None

    def exists(self, path: str) -> bool:
        """Whether there is something at a path of its API.

        Raises:
            LabelStudioError: it did not answer, or refused for another reason than that it has no such thing.
        """
        answer = self._answer("GET", path, headers=self.auth())
        if answer.status_code == 404:
            return False
        self._parse_response(answer, f"GET {path}")
        return True

    def upload(self, project: int, name: str, data: bytes) -> str:
        """Store a picture in a project; the reference that a task can use.

        Label Studio keeps it under a name of its own. A project whose label config shows two things, such as
        an image and an expression, answers 400 and keeps the file all the same; that answer names the file.

        Raises:
            LabelStudioError: it refused.
        """
        path = f"/api/projects/{project}/import"
        answer = self._answer(
            "POST", path, headers=self.auth(),
            files={"file": (name, data)}, params={"commit_to_project": "false"},
        )  # fmt: skip
        if answer.status_code == 400 and (kept := _STORED_FILE.search(_read_response_text(answer))):
            return self._make_reference(f"upload/{project}/{kept[1]}")
        ids = (self._parse_response(answer, f"POST {path}") or {}).get("file_upload_ids") or []
        if len(ids) != 1:
            raise LabelStudioError(f"Label Studio kept {len(ids)} files of one upload of {name}")
        return self._make_reference(self.call("GET", f"/api/import/file-upload/{ids[0]}")["file"])

    def remove_uploads(self, project: int, references: Collection[str]) -> None:
        """Remove uploaded files from a project by what `upload` said of them.

        Raises:
            LabelStudioError: it refused.
        """
        path = f"/api/projects/{project}/file-uploads"
        listed = self.call("GET", path, all="true") or ()
        ids = [one["id"] for one in listed if self._make_reference(str(one.get("file"))) in references]
        if ids:
            self.call("DELETE", path, {"file_upload_ids": ids})

    def _make_reference(self, stored: str) -> str:
        """A stored file as tasks name it: under a sub-path of its server Label Studio writes that too."""
        return f"{urlsplit(self.url).path}/data/{stored}"

    def _answer(self, method: str, path: str, *, headers: dict[str, str], **more: Any) -> requests.Response:
        try:
            return requests.request(
                method, self.url + path, headers=headers, timeout=self.timeout_s, verify=find_bundle(), **more
            )
        except (requests.RequestException, OSError) as error:
            raise to_connection_error(f"Label Studio at {self.url}", error) from error

    def _parse_response(self, answer: requests.Response, what: str) -> Any:
        if answer.status_code in (401, 403):
            raise LabelStudioDenied(
                f"Label Studio answered {answer.status_code} to {what}; check RIS_LABEL_STUDIO_API_KEY: "
                f"{answer.text[:200]}"
            )
        if not answer.ok:
            # After 408, 429 and every 5xx it may have been done, or may be done when asked again.
            is_final = 400 <= answer.status_code < 500 and answer.status_code not in (408, 429)
            raise (LabelStudioRefusal if is_final else LabelStudioError)(
                f"Label Studio answered {answer.status_code} to {what}: {answer.text[:300]}"
            )
        try:
            return answer.json() if answer.content else None
        except ValueError as error:
            raise LabelStudioError(
                f"{self.url} answered no JSON to {what}: is RIS_LABEL_STUDIO_URL Label Studio's address, "
                "with its sub-path if it has one?"
            ) from error

    def auth(self) -> dict[str, str]:
        """The header that says who we are; a personal access token is exchanged and renewed.

        Raises:
            LabelStudioError: it does not take our key.
        """
        if not self._key:
            return {}
        # Here, because importing the SDK takes half a second and /health must not wait for it.
        import httpx
        from label_studio_sdk import LabelStudio
        from label_studio_sdk.core.api_error import ApiError

        try:
            if self._sdk is None:
                # It joins paths as to a folder: without the slash a sub-path would be lost.
                http = httpx.Client(timeout=self.timeout_s, follow_redirects=True, verify=make_tls_context())
                self._sdk = LabelStudio(base_url=self.url + "/", api_key=self._key, httpx_client=http)
            headers = self._sdk._client_wrapper.get_headers()
        except ApiError as error:
            raise LabelStudioDenied(
                f"Label Studio does not take RIS_LABEL_STUDIO_API_KEY ({error.status_code}): make a new one"
            ) from error
        except LabelStudioError:
            raise
        except httpx.TransportError as error:
            raise to_connection_error(f"Label Studio at {self.url}", error) from error
        except Exception as error:  # whatever a wrong server answers
            raise LabelStudioError(
                f"no access token could be had from Label Studio at {self.url}: {type(error).__name__}"
            ) from error
        return {"Authorization": headers["Authorization"]}


def _read_response_text(answer: requests.Response) -> str:
    """What an answer says, with its letters written out."""
    try:
        return json.dumps(answer.json(), ensure_ascii=False)
    except ValueError:
        return answer.text

"""What `ris quickstart` keeps in its folder, so that a second run goes on with the first one's work."""

import json
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ris.cli.server_process import find_free_port
from ris.errors import InputError

_FILE_NAME = "quickstart.json"


@dataclass(frozen=True, slots=True)
class QuickstartState:
    """The login and the ports of one folder, and the projects that were made from it.

    Attributes:
        email, password, token: of the user of a Label Studio that this command starts, on loopback alone.
        label_studio_port: of that Label Studio. It stays, so that addresses in a browser stay.
        backend_port: of `ris serve`. It stays, because Label Studio stores the backend's address.
        projects: number in Label Studio, by `make_project_name`.
    """

    email: str
    password: str
    token: str
    label_studio_port: int
    backend_port: int
    projects: Mapping[str, int]


def load_state(folder: Path) -> QuickstartState:
    """Load what an earlier run left in a folder; without one, choose a login and free ports, and save them.

    Raises:
        InputError: the file there cannot be read.
    """
    path = folder / _FILE_NAME
    if path.is_file():
        try:
            return QuickstartState(**json.loads(path.read_text()))
        except (ValueError, TypeError) as error:
            raise InputError(
                f"{path} cannot be read ({error}): remove it, or give another --folder"
            ) from error
    state = QuickstartState(
        "annotator@example.com", secrets.token_urlsafe(9), secrets.token_hex(20),
        label_studio_port=find_free_port(), backend_port=find_free_port(), projects={},
    )  # fmt: skip
    save_state(folder, state)
    return state


def save_state(folder: Path, state: QuickstartState) -> None:
    """Save the state of a folder, readable by its owner alone."""
    new = folder / f"{_FILE_NAME}.new"
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(asdict(state), file)
    new.replace(folder / _FILE_NAME)


def make_project_name(url: str | None, expressions: Path) -> str:
    """Name a project by its Label Studio, None for the folder's own, and its file of expressions."""
    return f"{expressions.resolve()} at {url.rstrip('/') if url else 'the own Label Studio'}"


def check_port(port: int, what: str, folder: Path) -> None:
    """Check that a port of a folder is free.

    Raises:
        InputError: something listens there, such as another run in the same folder.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise InputError(
                f"port {port}, which {what} of {folder} has, is in use: stop the `ris quickstart` that runs "
                "in this folder, or give another --folder"
            ) from error

"""A real Label Studio of one's own: installed once, started in seconds from a copy of a migrated folder."""

import fcntl
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ris.errors import BackendError
from tests.live.support.process import ServerProcess, find_free_port

LABEL_STUDIO_VERSION = "1.23.2"
REPOSITORY_ROOT = Path(__file__).parents[3]
_CONSTRAINTS = REPOSITORY_ROOT / "constraints-label-studio.txt"
_ENVIRONMENT = REPOSITORY_ROOT / ".venv-label-studio"
_TEMPLATE = REPOSITORY_ROOT / ".cache" / f"label-studio-{LABEL_STUDIO_VERSION}"

DEMO_USER, DEMO_PASSWORD = "demo@example.com", "demo-password"
DEMO_TOKEN = "0123456789abcdef0123456789abcdef01234567"  # of this throw-away Label Studio, on loopback alone


@contextmanager
def _one_process_at_a_time(name: str) -> Iterator[None]:
    """Tests run in several processes: what one of them installs or prepares, the others wait for."""
    _TEMPLATE.parent.mkdir(parents=True, exist_ok=True)
    with (_TEMPLATE.parent / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def install_label_studio() -> Path:
    """The `label-studio` program, installed on first use into an environment of its own.

    Raises:
        BackendError: pip failed; with its last lines.
    """
    with _one_process_at_a_time("install"):
        return _install_label_studio()


def _install_label_studio() -> Path:
    """As `install_label_studio`, for one process at a time.

    Raises:
        BackendError: pip failed; with its last lines.
    """
    program = _ENVIRONMENT / "bin" / "label-studio"
    done = _ENVIRONMENT / ".installed"
    if done.is_file() and done.read_text() == LABEL_STUDIO_VERSION and program.is_file():
        return program
    if not _CONSTRAINTS.is_file():
        raise BackendError(f"{_CONSTRAINTS} is not there: the demo runs from a clone of the repository")
    python = _ENVIRONMENT / "bin" / "python"
    pip = [
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-c",
        str(_CONSTRAINTS),
    ]
    for command in (
        [sys.executable, "-m", "venv", str(_ENVIRONMENT)],
        [*pip, f"label-studio=={LABEL_STUDIO_VERSION}"],
    ):
        ran = subprocess.run(command, capture_output=True, text=True)
        if ran.returncode:
            raise BackendError(
                f"Label Studio could not be installed: {' | '.join(ran.stderr.splitlines()[-4:])}"
            )
    done.write_text(LABEL_STUDIO_VERSION)
    return program


class LabelStudioServer:
    """One Label Studio in a folder of its own, on a free port of loopback. Use it as a context manager.

    Args:
        settings: variables of its environment, in place of those that let it talk to loopback.
    """

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder.resolve()
        self.port = find_free_port()
        self.url = f"http://localhost:{self.port}"
        self._server = _make_server(
            self.folder / "data", self.port, self.folder / "label-studio.log", settings
        )

    def __enter__(self) -> "LabelStudioServer":
        with _one_process_at_a_time("template"):
            _make_template()
        shutil.rmtree(self.folder / "data", ignore_errors=True)
        shutil.copytree(_TEMPLATE, self.folder / "data")
        self._server.start(timeout_s=600)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()


def _make_template() -> None:
    """The first start creates the tables, which takes the better part of a minute: do it once."""
    done = _TEMPLATE / ".migrated"
    if done.is_file():
        return
    shutil.rmtree(_TEMPLATE, ignore_errors=True)
    _TEMPLATE.mkdir(parents=True)
    server = _make_server(_TEMPLATE, find_free_port(), _TEMPLATE.parent / "first-start.log", {})
    try:
        server.start(timeout_s=600)
    finally:
        server.stop()
    done.touch()


def _make_server(data: Path, port: int, log: Path, settings: Mapping[str, str]) -> ServerProcess:
    env = {
        "LABEL_STUDIO_BASE_DATA_DIR": str(data),
        "LABEL_STUDIO_HOST": f"http://localhost:{port}",
        "LABEL_STUDIO_USERNAME": DEMO_USER,
        "LABEL_STUDIO_PASSWORD": DEMO_PASSWORD,
        "LABEL_STUDIO_USER_TOKEN": DEMO_TOKEN,
        "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
        # Both are true by default and refuse a backend on loopback.
        "ML_BLOCK_LOCAL_IP": "false",
        "SSRF_PROTECTION_ENABLED": "false",
        "COLLECT_ANALYTICS": "false",
        "LATEST_VERSION_CHECK": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
    } | dict(settings)
    command = [str(install_label_studio()), "start", "--no-browser", "--internal-host", "127.0.0.1"]
    command += ["--port", str(port), "--enable-legacy-api-token"]
    return ServerProcess(
        "Label Studio",
        command,
        env=env,
        health_url=f"http://localhost:{port}/health",
        log=log,
        folder=REPOSITORY_ROOT,
    )

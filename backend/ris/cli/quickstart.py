"""`ris quickstart`: from a folder of images to a project in Label Studio that can be annotated."""

import os
import shlex
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ris import assembly, config, label_config
from ris.cli.console import console
from ris.cli.options import KeyOption, PresetOption, UrlOption, apply_options
from ris.cli.quickstart_state import (
    QuickstartState,
    check_port,
    load_state,
    make_project_name,
    save_state,
)
from ris.cli.server_process import ServerProcess
from ris.errors import BackendError, InputError, LabelStudioMissing
from ris.labelstudio.api.connecting import create_project
from ris.labelstudio.api.projects import fetch_project
from ris.store.session import upgrade_database

LABEL_CONFIG = "pick_brush"
_START_TIMEOUT_S = 600.0  # the first start of Label Studio makes its tables


def quickstart(
    images: Annotated[Path, typer.Option(help="folder of the images", exists=True, file_okay=False)],
    expressions: Annotated[
        Path, typer.Option(help="CSV with a header, or a text file: image, tab, expression", exists=True)
    ],
    folder: Annotated[Path, typer.Option(help="folder for the database, the logs and Label Studio")] = Path(
        "quickstart"
    ),
    title: Annotated[str, typer.Option(help="title of the new project")] = "Referring expressions",
    command: Annotated[
        str | None,
        typer.Option(
            "--label-studio-command", help="program that starts Label Studio; default: label-studio on PATH"
        ),
    ] = None,
    url: UrlOption = None,
    key: KeyOption = None,
    preset: PresetOption = None,
) -> None:
    """Make a connected project from a folder of images and a file of expressions, and keep it running.

    It starts Label Studio, or uses the one of --url and --key. It starts the backend, creates a project,
    imports the tasks, connects the backend, stores predictions, and prints the address for the browser.
    Ctrl-C stops what it started; the folder keeps the work. With the same folder and file it continues the
    same project, and adds the lines that are new.

    Example: `ris quickstart --images photos --expressions expressions.csv`
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    state, name = load_state(folder), make_project_name(url, expressions)
    with ExitStack() as stack:
        is_own = url is None
        check_port(state.backend_port, "the backend", folder)
        if url is None:
            url, key = _start_label_studio(stack, folder, command, state), state.token
        settings = apply_options(url=url, key=key, preset=preset)
        if settings.label_studio_api_key is None:
            raise InputError("--url names a Label Studio; give its key with --key too")
        backend_url = f"http://127.0.0.1:{state.backend_port}"
        environment = {
            "RIS_HOST": "127.0.0.1", "RIS_PORT": str(state.backend_port), "RIS_PRESET": settings.preset,
            "RIS_DATABASE_URL": f"sqlite:///{folder / 'ris.db'}", "RIS_LABEL_STUDIO_URL": url,
            "RIS_LABEL_STUDIO_API_KEY": settings.label_studio_api_key.get_secret_value(),
            "RIS_PUBLIC_URL": backend_url,
        }  # fmt: skip
        upgrade_database(environment["RIS_DATABASE_URL"])
        backend = _start_backend(stack, folder, environment)
        project = _find_project(settings, state.projects.get(name))
        if project is None:
            project = _make_project(settings, title)
            save_state(folder, replace(state, projects={**state.projects, name: project}))
        else:
            console.print(f"project {project} of an earlier run in {folder} is continued", markup=False)
        _run_command(
            environment, "import", str(expressions), "--project", str(project), "--images", str(images)
        )
        _run_command(environment, "connect", "--project", str(project))
        _run_command(environment, "prelabel", "--project", str(project), "--push")
        console.print(f"open {url}/projects/{project}/data", markup=False)
        if is_own:
            console.print(f"log in as {state.email} with {state.password}", markup=False)
        console.print(f"the backend is at {environment['RIS_PUBLIC_URL']}; Ctrl-C stops it")
        _wait_for_stop(backend)


def _start_label_studio(stack: ExitStack, folder: Path, command: str | None, state: QuickstartState) -> str:
    """Start Label Studio on loopback, and return its address.

    Raises:
        InputError: its program is not there, or its port is in use.
        BackendError: it does not start.
    """
    words = shlex.split(command or "label-studio")
    program = shutil.which(words[0]) if words else None
    if program is None:
        raise InputError(
            f"there is no program {words[0] if words else ''!r}: install Label Studio with `pip install "
            "label-studio` in an environment of its own and give --label-studio-command, or name a running "
            "one with --url and --key"
        )
    port = state.label_studio_port
    check_port(port, "Label Studio", folder)
    url = f"http://localhost:{port}"
    environment = {
        "LABEL_STUDIO_BASE_DATA_DIR": str(folder / "label-studio"),
        "LABEL_STUDIO_HOST": url,
        "LABEL_STUDIO_USERNAME": state.email,
        "LABEL_STUDIO_PASSWORD": state.password,
        "LABEL_STUDIO_USER_TOKEN": state.token,
        "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
        # Both are true by default and refuse a backend on loopback.
        "ML_BLOCK_LOCAL_IP": "false",
        "SSRF_PROTECTION_ENABLED": "false",
        "COLLECT_ANALYTICS": "false",
        "LATEST_VERSION_CHECK": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
    }
    arguments = ["start", "--no-browser", "--internal-host", "127.0.0.1", "--port", str(port)]
    server = ServerProcess(
        "Label Studio", [program, *words[1:], *arguments, "--enable-legacy-api-token"], env=environment,
        health_url=f"{url}/health", log=folder / "label-studio.log", folder=folder,
    )  # fmt: skip
    stack.callback(server.stop)
    with console.status("starting Label Studio; its first start makes its tables, which takes a minute"):
        server.start(timeout_s=_START_TIMEOUT_S)
    return url


def _start_backend(stack: ExitStack, folder: Path, environment: dict[str, str]) -> ServerProcess:
    server = ServerProcess(
        "the backend", [sys.executable, "-m", "ris", "serve"], env=environment,
        health_url=f"{environment['RIS_PUBLIC_URL']}/health", log=folder / "backend.log", folder=folder,
    )  # fmt: skip
    stack.callback(server.stop)
    with console.status("starting the backend"):
        server.start(timeout_s=_START_TIMEOUT_S)
    return server


def _find_project(settings: config.Settings, number: int | None) -> int | None:
    """Find whether the project of an earlier run is still in Label Studio; None if not."""
    if number is None:
        return None
    try:
        return fetch_project(assembly.make_label_studio_client(settings), number)["id"]
    except LabelStudioMissing:
        return None


def _make_project(settings: config.Settings, title: str) -> int:
    client = assembly.make_label_studio_client(settings)
    return create_project(client, title, label_config.read(f"{LABEL_CONFIG}.xml"))


def _run_command(environment: dict[str, str], *arguments: str) -> None:
    """Run a command of `ris` with the environment of the new backend.

    Raises:
        BackendError: it failed; it said why.
    """
    done = subprocess.run([sys.executable, "-m", "ris", *arguments], env=os.environ | environment)
    if done.returncode:
        raise BackendError(f"`ris {arguments[0]}` failed; the lines above give the reason")


def _wait_for_stop(backend: ServerProcess) -> None:
    try:
        while backend.is_running():
            time.sleep(0.5)
    except KeyboardInterrupt:
        console.print("stopped")
        return
    raise BackendError(f"the backend stopped: {backend.read_last_lines()}")

"""The container files against the code: each name in them is looked up, the rules of docs/deploy.md hold,
and the same process runs with the same environment without a container engine.
"""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from ris.cli.app import root_app
from ris.config import Settings
from tests.builders.postgres import new_database
from tests.live.support.process import find_free_port

pytestmark = pytest.mark.program

ROOT = Path(__file__).parents[1]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
NVIDIA = yaml.safe_load((ROOT / "docker-compose.nvidia.yml").read_text())
SERVICES = COMPOSE["services"]


def instructions():
    """The Dockerfile's instructions, continued lines joined."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [tuple(line.split(maxsplit=1)) for line in lines]


def dockerfile(word):
    return [rest for instruction, rest in instructions() if instruction == word]


def docker_env():
    return dict(part.split("=", 1) for part in shlex.split(dockerfile("ENV")[0]))


def health_command():
    return json.loads(dockerfile("HEALTHCHECK")[0].split("CMD", 1)[1])


def test_everything_that_is_copied_is_there_and_nothing_of_it_is_ignored():
    ignored = (ROOT / ".dockerignore").read_text().split()
    for line in dockerfile("COPY"):
        if not line.startswith("--from="):
            for source in line.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert source not in ignored


@pytest.mark.parametrize("name", [".env", ".env.production"])
def test_a_file_of_secrets_reaches_neither_git_nor_an_image(is_ignored_by_git, name):
    assert is_ignored_by_git(name)
    assert not is_ignored_by_git(".env.example")
    assert any(fnmatch(name, line) for line in (ROOT / ".dockerignore").read_text().split())


@pytest.mark.parametrize("name", ["ris.db", "ris.db-wal", "backend/ris.db", "backend/__pycache__/app.pyc"])
def test_no_database_and_no_leftover_reaches_git_or_an_image(is_ignored_by_git, name):
    assert is_ignored_by_git(name)
    lines = (ROOT / ".dockerignore").read_text().split()
    assert any(fnmatch("/" + part, line.replace("**", "", 1)) for line in lines for part in parts_of(name))


@pytest.mark.parametrize(
    "name", [".venv", ".venv-label-studio", ".cache", "demo", "studio", "build", "dist", "export"]
)
def test_no_folder_of_results_reaches_git_or_an_image(is_ignored_by_git, name):
    assert is_ignored_by_git(f"{name}/x")
    assert any(fnmatch(name, line) for line in (ROOT / ".dockerignore").read_text().split())


@pytest.fixture
def is_ignored_by_git(tmp_path):
    """Asked in a new repository with this one's rules, where nothing is in the way."""
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    (tmp_path / ".gitignore").write_text((ROOT / ".gitignore").read_text())
    return lambda name: (
        subprocess.run(["git", "-C", tmp_path, "check-ignore", "--quiet", name]).returncode == 0
    )


def parts_of(name):
    path = Path(name)
    return [path.name, *(parent.name for parent in path.parents if parent.name)]


def test_every_setting_is_one_of_ours():
    known = {f"RIS_{name.upper()}" for name in Settings.model_fields}
    named = {name for name in docker_env() if name.startswith("RIS_")}
    for service in (SERVICES["backend"], NVIDIA["services"]["backend"]):
        named |= set(service["environment"])

    assert named - known == {"PGPASSWORD"}  # PostgreSQL's own


def test_the_image_listens_checks_and_exposes_one_port_and_is_not_root():
    env = docker_env()

    assert dockerfile("EXPOSE") == [env["RIS_PORT"]]
    assert "os.environ['RIS_PORT'] + '/health'" in health_command()[-1]
    assert env["RIS_HOST"] == "0.0.0.0"
    assert dockerfile("USER") == ["ris"]
    assert dockerfile("VOLUME") == dockerfile("WORKDIR")[1:] == ["/data"]


def test_everything_that_is_written_lies_in_the_volume():
    """Caches of libraries follow HOME."""
    env = docker_env()

    assert env["HOME"] == "/data"
    assert "--home-dir /data --no-create-home ris && mkdir /data && chown ris /data" in " ".join(
        dockerfile("RUN")
    )
    written = [env[name] for name in ("RIS_DATABASE_URL", "RIS_SCENE_FOLDER", "RIS_MODELS_FOLDER")]
    assert all(place.removeprefix("sqlite:///").startswith("/data/") for place in written)


def test_one_process_runs_from_the_start_and_no_shell():
    """A shell as process 1 ignores a stop until its first command has ended."""
    assert json.loads(dockerfile("CMD")[0]) == ["ris", "serve", "--upgrade"]
    assert dockerfile("ENTRYPOINT") == []
    assert SERVICES["backend"]["init"] is True
    assert SERVICES["backend"]["stop_grace_period"] == "60s"
    assert "command" not in SERVICES["backend"]


def test_what_is_needed_is_installed_before_the_source_is_copied_and_without_a_compiler():
    """A change of the source changes no layer with what is needed: not the build's and not the image's."""
    stages = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").split("\nFROM ")
    needed, build, image = (stage.splitlines() for stage in stages[-3:])
    installs = [line for line in dockerfile("RUN") if re.search("pip (install|wheel)", line)]

    assert [line for line in needed if line.startswith("COPY")] == ["COPY pyproject.toml constraints.txt ./"]
    assert build[0] == "needed AS build"
    assert "COPY backend backend" in build
    assert next(line for line in image if line.startswith(("COPY", "RUN"))) == "COPY --from=needed /app /app"
    assert len(installs) == 3
    assert [line.startswith("--mount=") for line in installs] == [True] * 3
    assert installs[0].count("pip install") == installs[0].count("--only-binary :all:") == 2
    assert all("--no-deps" in line for line in installs[1:])
    assert not re.search(r"apt|gcc|g\+\+", (ROOT / "Dockerfile").read_text())


def test_what_builds_the_package_is_pinned():
    """pip builds in an environment of its own, which constraints.txt does not reach."""
    (wanted,) = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]

    assert re.fullmatch(r"setuptools==\d+\.\d+\.\d+", wanted)
    assert wanted in (ROOT / "constraints.txt").read_text().splitlines()


def test_pytorch_comes_from_another_index_only_if_somebody_says_so_and_nothing_else_does():
    makefile = (ROOT / "Makefile").read_text()
    install = next(line for line in dockerfile("RUN") if "pip install" in line)

    assert dockerfile("ARG")[0] == 'PYTORCH_INDEX_URL=""'
    assert "PYTORCH_INDEX_URL ?=\n" in makefile
    assert SERVICES["backend"]["build"]["args"] == {"PYTORCH_INDEX_URL": "${PYTORCH_INDEX_URL:-}"}
    assert "PYTORCH_INDEX_URL=\n" in (ROOT / ".env.example").read_text()
    for text in (install, makefile):
        (line,) = re.findall(r"pip install[^;&\n]*--index-url[^;&\n]*", text)
        assert "--no-deps" in line
        assert line.split()[-2:] == ["torch", "torchvision"]
        assert text.count("index-url") == 1


@pytest.mark.parametrize("index", ["", "https://example.org/cpu"])
def test_make_takes_pytorch_from_the_index_that_is_given(index, tmp_path):
    said = subprocess.run(
        ["make", "--dry-run", f"VENV={tmp_path / 'new'}", "setup", f"PYTORCH_INDEX_URL={index}"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip

    assert said.count("pip install") == (2 if index else 1)
    assert (f"--index-url '{index}'" in said) is bool(index)


def test_the_backend_and_label_studio_can_do_little_and_take_no_more_than_they_are_given():
    for name in ("backend", "label-studio"):
        service = SERVICES[name]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert re.fullmatch(r"\$\{\w+_MEMORY:-\dg\}", service["mem_limit"])
    assert SERVICES["backend"]["read_only"] is True
    assert SERVICES["backend"]["tmpfs"] == ["/tmp"]
    # PostgreSQL's image starts as root and gives itself to its own user: it needs its capabilities.
    assert "cap_drop" not in SERVICES["database"]


def test_no_log_grows_for_ever():
    for service in SERVICES.values():
        assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}


def test_label_studio_has_minutes_for_its_first_start():
    assert SERVICES["label-studio"]["healthcheck"]["start_period"] == "300s"
    for page in ("README.md", "docs/deploy.md"):
        text = (ROOT / page).read_text()
        assert "docker compose up --detach --wait" in text
        assert not re.search(r"docker compose up --detach(?! --wait)", text)


def test_the_image_runs_a_python_that_the_package_allows():
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    lowest, highest = re.match(r">=3\.(\d+),<3\.(\d+)", wanted).groups()

    bases = [image for image in dockerfile("FROM") if not image.startswith("needed ")]
    assert len(bases) == 2
    for image in bases:
        assert int(lowest) <= int(re.match(r"python:3\.(\d+)-slim", image)[1]) < int(highest)


def test_the_image_has_the_extras_of_its_presets_and_exports():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (line,) = [line for line in dockerfile("ARG") if line.startswith("EXTRAS=")]
    named = shlex.split(line.partition("=")[2])[0].split()

    assert {"parquet", "trf"} <= set(named)
    assert set(named) <= set(extras)
    assert "$EXTRAS" in " ".join(dockerfile("RUN"))


def test_every_command_is_one_of_ours():
    said = (ROOT / "docker-compose.yml").read_text() + (ROOT / "docs" / "deploy.md").read_text()
    commands = get_command(root_app).list_commands(None)

    found = re.findall(r"\bris ([a-z]+)", said)
    assert {"connect"} <= set(found)
    assert set(found) <= set(commands)


def test_every_secret_comes_from_the_file_that_the_example_shows():
    example = {line.split("=")[0] for line in (ROOT / ".env.example").read_text().splitlines() if "=" in line}
    used = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))

    assert used == example


def test_services_volumes_and_addresses_fit_together():
    for service in SERVICES.values():
        assert set(service.get("depends_on", {})) <= set(SERVICES)
        assert {v.split(":")[0] for v in service.get("volumes", ())} <= set(COMPOSE["volumes"])
    backend = SERVICES["backend"]["environment"]
    studio = SERVICES["label-studio"]
    (alias,) = SERVICES["backend"]["networks"]["default"]["aliases"]

    assert "." in alias  # Label Studio makes no webhook for a host without one
    assert backend["RIS_PUBLIC_URL"] == f"http://{alias}:{docker_env()['RIS_PORT']}"
    assert backend["RIS_LABEL_STUDIO_URL"] == "http://label-studio:8080"
    assert backend["RIS_LABEL_STUDIO_PUBLIC_URL"] == studio["environment"]["LABEL_STUDIO_HOST"]
    assert backend["RIS_DATABASE_URL"] == "postgresql://ris@database/ris"  # no password in an address
    assert backend["PGPASSWORD"] == SERVICES["database"]["environment"]["POSTGRES_PASSWORD"]
    assert SERVICES["database"]["environment"]["POSTGRES_DB"] == "ris"
    assert {studio["environment"][n] for n in ("ML_BLOCK_LOCAL_IP", "SSRF_PROTECTION_ENABLED")} == {"false"}
    tested = re.search(r"^label-studio==(.+)$", (ROOT / "constraints-label-studio.txt").read_text(), re.M)[1]
    assert studio["image"].endswith(f":{tested}")
    assert set(NVIDIA["services"]) <= set(SERVICES)


def test_the_same_process_runs_without_docker(postgres, tmp_path):
    """CMD and HEALTHCHECK as they stand, with both files' environment; database and port are this test's."""
    env = docker_env() | {
        name: re.sub(r"\$\{\w+(?::-([^}]+))?[^}]*\}", lambda found: found[1] or "filled-in", value)
        for name, value in SERVICES["backend"]["environment"].items()
    }
    env |= {"RIS_DATABASE_URL": new_database(postgres), "RIS_PORT": str(find_free_port())}
    env |= {"RIS_SCENE_FOLDER": str(tmp_path / "scenes"), "HOME": str(tmp_path / "home")}
    (tmp_path / "home").mkdir()
    env["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    command = json.loads(dockerfile("CMD")[0])
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(command, env=os.environ | env, cwd=tmp_path, stdout=log, stderr=log)
        try:
            healthy = wait_for(health_command(), os.environ | env, server)
        finally:
            server.send_signal(signal.SIGTERM)
            status = server.wait(60)

    assert healthy, (tmp_path / "log").read_text()
    assert status == 0


def wait_for(command, env, server):
    for _ in range(120):
        if subprocess.run(command, env=env, capture_output=True).returncode == 0:
            return True
        if server.poll() is not None:
            return False
        time.sleep(0.5)
    return False

"""The container files against the code. No Docker engine builds them here, so each name in them is looked up,
and the same processes run with the same environment without it."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import yaml
from typer.main import get_command

from backend.cli.app import app
from backend.config import Settings
from backend.demo.process import free_port
from tests.store.conftest import new_database, postgres

__all__ = ["postgres"]

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
        if not line.startswith("--from=build"):
            for source in line.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert source not in ignored


def test_every_setting_is_one_of_ours():
    known = {f"RIS_{name.upper()}" for name in Settings.model_fields}
    named = {name for name in docker_env() if name.startswith("RIS_")}
    for service in (SERVICES["backend"], NVIDIA["services"]["backend"]):
        named |= set(service["environment"])

    assert named - known == set()


def test_the_image_listens_checks_and_exposes_one_port_and_is_not_root():
    env = docker_env()

    assert dockerfile("EXPOSE") == [env["RIS_PORT"]]
    assert "os.environ['RIS_PORT'] + '/health'" in health_command()[-1]
    assert env["RIS_HOST"] == "0.0.0.0"
    assert dockerfile("USER") == ["ris"]
    assert dockerfile("VOLUME") == ["/data"]


def test_the_image_runs_a_python_that_the_package_allows():
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    lowest, highest = re.match(r">=3\.(\d+),<3\.(\d+)", wanted).groups()

    for image in dockerfile("FROM"):
        assert int(lowest) <= int(re.match(r"python:3\.(\d+)-slim", image)[1]) < int(highest)


def test_every_command_is_one_of_ours():
    said = " ".join(dockerfile("CMD")) + (ROOT / "docker-compose.yml").read_text()
    commands = get_command(app).commands

    found = re.findall(r"\bris ([a-z]+)", said)
    assert {"db", "serve", "connect"} <= set(found)
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
    assert f"http://{alias}:{docker_env()['RIS_PORT']}" in (ROOT / "docker-compose.yml").read_text()
    assert backend["RIS_LABEL_STUDIO_URL"] == "http://label-studio:8080"
    assert backend["RIS_LABEL_STUDIO_PUBLIC_URL"] == studio["environment"]["LABEL_STUDIO_HOST"]
    assert "@database/ris" in backend["RIS_DATABASE_URL"]
    assert SERVICES["database"]["environment"]["POSTGRES_DB"] == "ris"
    assert {studio["environment"][n] for n in ("ML_BLOCK_LOCAL_IP", "SSRF_PROTECTION_ENABLED")} == {"false"}
    tested = re.search(r"^label-studio==(.+)$", (ROOT / "constraints-label-studio.txt").read_text(), re.M)[1]
    assert studio["image"].endswith(f":{tested}")
    assert set(NVIDIA["services"]) <= set(SERVICES)


def test_the_same_processes_run_without_docker(postgres, tmp_path):
    """CMD and HEALTHCHECK as they stand, with both files' environment; database and port are this test's."""
    env = docker_env() | {
        name: re.sub(r"\$\{\w+(?::-([^}]+))?[^}]*\}", lambda found: found[1] or "filled-in", value)
        for name, value in SERVICES["backend"]["environment"].items()
    }
    env |= {"RIS_DATABASE_URL": new_database(postgres), "RIS_PORT": str(free_port())}
    env["RIS_SCENE_FOLDER"] = str(tmp_path / "scenes")
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

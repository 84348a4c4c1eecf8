import sys
from pathlib import Path

import pytest

from ris.cli.server_process import ServerProcess, find_free_port
from ris.errors import BackendError

SERVER = """
import http.server, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("child", child.pid, flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


def process(tmp_path, *arguments, port=1):
    url = f"http://127.0.0.1:{port}/"
    command = [sys.executable, "-c", *arguments]
    return ServerProcess("the thing", command, env={}, health_url=url, log=tmp_path / "log", folder=tmp_path)


def test_a_program_that_stops_at_once_is_told_with_its_last_words(tmp_path):
    broken = process(tmp_path, "import sys; print('no disk left'); sys.exit(3)")

    with pytest.raises(BackendError, match="the thing stopped with status 3: no disk left"):
        broken.start(timeout_s=30)


def test_a_program_that_never_answers_is_stopped(tmp_path):
    deaf = process(tmp_path, "import time; time.sleep(600)")

    with pytest.raises(BackendError, match="did not answer within 1 s"):
        deaf.start(timeout_s=1)
    assert not deaf.is_running()


def test_stopping_leaves_no_child_behind(tmp_path):
    port = find_free_port()
    server = process(tmp_path, SERVER, str(port), port=port)
    server.start(timeout_s=30)
    child = int((tmp_path / "log").read_text().split()[1])

    server.stop()

    assert not server.is_running()
    assert not is_alive(child)


def is_alive(pid):
    """Whether a process runs; a zombie that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False

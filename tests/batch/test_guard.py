"""One process does one item at a time; whatever an item does to it, the next one is done."""

import os
import subprocess
import sys
from functools import partial

import pytest

from ris.batch.guard import GuardClosed, GuardedProcess, make_loss_sentence
from ris.errors import SettingsError, WeightsError
from tests.batch.fakes import load_nothing, make_without_its_package, make_work
from tests.builders.command_line import ROOT


@pytest.fixture
def guard():
    guard = GuardedProcess(make_work, limit_s=5, task="the work")
    yield guard
    guard.close()


def test_one_process_does_all_items_and_counts_its_time(guard):
    first, second = guard.call("a"), guard.call("b")

    assert first == second != os.getpid()
    assert guard.worked_s > 0
    assert guard.waited_s > 0


@pytest.mark.parametrize(
    ("item", "sentence"),
    [
        ("die", make_loss_sentence()),
        ("hang", "the work did not finish within 5 s; correct what hangs, or raise --time-limit"),
        ("raise", "an error of this program, please report it: KeyError('it')"),
    ],
)
def test_an_item_with_a_fault_is_told_and_the_next_one_is_done(guard, item, sentence):
    assert guard.call(item) == sentence
    assert isinstance(guard.call("a"), int)


def test_an_item_whose_process_died_once_is_done(guard, tmp_path):
    assert isinstance(guard.call(tmp_path / "mark"), int)


def test_a_process_that_cannot_be_made_says_why():
    with pytest.raises(WeightsError, match="file x is missing"):
        GuardedProcess(load_nothing, limit_s=5, task="x").call("a")
    with pytest.raises(
        SettingsError, match=r"a worker cannot start: ModuleNotFoundError.*every node has this"
    ):
        GuardedProcess(make_without_its_package, limit_s=5, task="x").call("a")
    with pytest.raises(SettingsError, match="die as they start, with exit status 7"):
        GuardedProcess(partial(os._exit, 7), limit_s=5, task="x").call("a")


def test_nothing_is_called_after_the_end(guard):
    guard.call("a")
    guard.close()

    with pytest.raises(GuardClosed):
        guard.call("b")


@pytest.mark.program
def test_a_process_ends_when_its_parent_is_killed():
    code = (
        "import os, signal\nfrom ris.batch.guard import GuardedProcess\n"
        "from tests.batch.fakes import make_work\n"
        "if __name__ == '__main__':\n"
        " print(GuardedProcess(make_work, limit_s=60, task='x').call('a'), flush=True)\n"
        " os.kill(os.getpid(), signal.SIGKILL)"
    )
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "backend")])}
    # Both processes hold the pipe of the output, so `run` returns when both have ended.
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120
    )

    assert (ran.returncode, ran.stdout.strip().isdecimal()) == (-9, True), ran.stderr

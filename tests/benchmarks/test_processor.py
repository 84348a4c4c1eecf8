import ast
from pathlib import Path

import pytest

from benchmarks.processor import print_processor
from ris.pretrained.processor import describe_processor

SCRIPTS = [
    path
    for path in sorted((Path(__file__).parents[2] / "benchmarks").glob("*.py"))
    if '__name__ == "__main__"' in path.read_text()
]


def test_a_line_names_the_processor_the_cores_and_pytorch(capsys):
    print_processor()

    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(describe_processor())
    assert "cores, PyTorch 2." in line


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_every_script_prints_it(path):
    calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]

    assert "print_processor" in {call.id for call in calls if isinstance(call, ast.Name)}


def test_there_are_scripts():
    assert len(SCRIPTS) > 20

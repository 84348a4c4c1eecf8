import importlib.util
import re
from pathlib import Path

import pytest

from training import arguments as arguments_module

README = Path(__file__).parents[2] / "training" / "README.md"
COMMANDS = re.findall(r"python -m (training\.\w+)([^#`\n]*)", README.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("module", "arguments"), COMMANDS)
def test_every_training_command_names_a_module_and_its_options(module, arguments):
    spec = importlib.util.find_spec(module)

    assert spec is not None and spec.origin is not None
    source = Path(spec.origin).read_text(encoding="utf-8")
    assert 'if __name__ == "__main__":' in source
    if "make_training_parser(" in source:
        source += Path(arguments_module.__file__).read_text(encoding="utf-8")
    assert [option for option in re.findall(r"--[a-z-]+", arguments) if f'"{option}"' not in source] == []


def test_every_training_has_a_command():
    trainings = {f"training.{path.stem}" for path in README.parent.glob("train_*.py")}

    assert trainings <= {module for module, _ in COMMANDS}

"""The pictures and tables of the architecture page say what the contracts and the folders say."""

import configparser
import re
from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from ris.core.expression import ParsedExpression
from ris.core.rle import encode_rle
from ris.referring.scene import Scene

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "backend" / "ris"
PAGE = ROOT / "docs" / "architecture.md"
IMAGES = ROOT / "docs" / "images"
TEXT = "{http://www.w3.org/2000/svg}text"
OUTSIDE = {"training", "benchmarks", "adapter"}
ADDED = {"referring/largest.py"}  # by a reader who adds a method


def read_contracts():
    """The contracts, each with its lists of modules as lists; names are relative to the package."""
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter", encoding="utf-8")
    return [
        {
            key: [line.strip().removeprefix("ris.") for line in value.split("\n") if line.strip()]
            for key, value in one.items()
        }
        for one in contracts.values()
    ]


def test_the_picture_of_the_layers_is_the_contract():
    (layers,) = [one["layers"] for one in read_contracts() if one.get("type") == ["layers"]]
    contract = [[name.strip() for name in row.split("|")] for row in layers]

    texts = ElementTree.parse(IMAGES / "layers.svg").iter(TEXT)
    boxes = [text for text in texts if text.get("class") == "layer"]
    drawn = [[box.text for box in row] for _, row in groupby(boxes, key=lambda box: box.get("y"))]

    assert drawn == contract


def test_the_table_of_who_may_import_what_is_the_contracts():
    protected = [one for one in read_contracts() if one.get("type") == ["protected"]]
    contract = {
        (tuple(one["protected_modules"]), tuple(n for n in one["allowed_importers"] if n not in OUTSIDE))
        for one in protected
    }

    table = (
        PAGE.read_text(encoding="utf-8")
        .partition("may be imported by |\n|---|---|\n")[2]
        .partition("\n\n")[0]
    )
    rows = {
        tuple(tuple(re.findall(r"`([^`]+)`", cell)) for cell in row.strip("|").split("|"))
        for row in table.split("\n")
    }

    assert rows == contract


def test_every_folder_of_the_package_is_on_the_page_and_no_other_folder():
    folders = {
        path.relative_to(PACKAGE).as_posix()
        for path in [*PACKAGE.glob("*/"), *PACKAGE.glob("*/*/")]
        if any(path.glob("*.py")) or path.name == "tiny"
    }

    section = PAGE.read_text(encoding="utf-8").partition("\n## Packages\n")[2]
    named = set(re.findall(r"^\| `([a-z_/]+)` \| ", section, re.MULTILINE))
    outside = {path.name for path in ROOT.iterdir() if path.is_dir()}

    assert named - outside == folders


def test_every_file_that_the_page_and_the_picture_name_exists():
    text = PAGE.read_text(encoding="utf-8")
    drawn = " ".join(text.text or "" for text in ElementTree.parse(IMAGES / "data_flow.svg").iter(TEXT))
    named = set(re.findall(r"[a-z_/]+\.py\b", f"{text} {drawn}")) - ADDED
    files = [f"/{path.relative_to(PACKAGE).as_posix()}" for path in PACKAGE.rglob("*.py")]

    assert {name for name in named if not any(file.endswith(f"/{name}") for file in files)} == set()


def test_the_method_that_the_page_adds_scores_every_proposal_of_every_expression():
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    made = {"__name__": "largest"}
    exec(code, made)
    small, large = np.zeros((2, 4, 4), np.bool_)
    small[0, 0] = large[1:3] = True
    masks, boxes = (encode_rle(small), encode_rle(large)), ((0, 0, 1, 1), (0, 1, 4, 3))
    scene = Scene("digest", (4, 4), masks, boxes, np.ones(2, np.float32), {})
    expression = ParsedExpression("the mug", "mug")

    scored = made["Largest"]().score(scene, [expression, expression])

    assert [(one.method, one.scores.tolist()) for one in scored] == [("largest", [0.125, 1.0])] * 2

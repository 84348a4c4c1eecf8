"""What LGD's released code answered, with the parses it had; see tests/data/README.md."""

import json
from pathlib import Path

from ris.core.tree import Node, Tree

DATA = Path(__file__).parents[1] / "data"


def read_rows(name):
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


def to_tree(row):
    nodes = tuple(Node(*node) for node in row["nodes"])
    return Tree(row["text"], nodes, tuple(tuple(phrase) for phrase in row["phrases"]), row["referent"])

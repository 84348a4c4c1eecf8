"""Evaluate a parser: `python -m training.evaluate_parser --parser DIR --treebank DIR [--json]`.

It reports three shares: hand-written referring expressions whose subject is right (from raw text, as in the
program); expressions of drawn scenes whose subject is right, which the parser was not trained on either; and
words of the treebank's test part with the right head and label (in lower case, on the treebank's tokens).
"""

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from ris.pretrained.language.parser import SpacyParser, join_tokens
from ris.tinyworld.expressions import make_expressions
from ris.tinyworld.scene import make_scene
from training.treebank import read_conllu, to_doc

_EMBEDDED_PARSER = Path("backend/ris/pretrained/tiny/parser")
_FIRST_SCENE_SEED = 910_000
PHRASE_TABLE = Path("tests/data/referring_phrases.tsv")


def main() -> None:
    """Print the report."""
    args = _parse_args()
    parser = SpacyParser.load(args.parser)
    report: dict[str, Any] = {
        "subjects": evaluate_subjects(parser, read_phrase_table(args.table)),
        "drawn": evaluate_subjects(parser, make_drawn_table(parser, args.scenes)),
    }
    if args.treebank:
        test = [to_doc(sentence, parser.nlp.vocab) for sentence in read_conllu(args.treebank / "test.conllu")]
        report["attachment"] = evaluate_attachment(parser.nlp, test)
    print(json.dumps(report, indent=1) if args.json else format_report(report))


def read_phrase_table(path: Path) -> list[tuple[str, str, str]]:
    """Read (kind, expression, subject) from each row of a table; the first line is its heading."""
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    return [(kind, expression, subject) for kind, expression, subject in rows]


def make_drawn_table(parser: SpacyParser, n_scenes: int) -> list[tuple[str, str, str]]:
    """Make (kind, expression, subject) for the expressions of drawn scenes, each once."""
    rows = {}
    for seed in range(n_scenes):
        rng = random.Random(_FIRST_SCENE_SEED + seed)
        for expression in make_expressions(make_scene(rng), rng):
            rows[expression.text] = (expression.kind, join_tokens(parser.nlp.make_doc(expression.subject)))
    return [(kind, text, subject) for text, (kind, subject) in rows.items()]


def evaluate_subjects(parser: SpacyParser, table: Sequence[tuple[str, str, str]]) -> dict[str, Any]:
    """Compute the share of expressions whose subject is exactly right, also by kind, and list the misses."""
    right: dict[str, list[bool]] = defaultdict(list)
    misses = []
    for kind, expression, expected in table:
        found = parser.parse(expression).subject
        right[kind].append(found == expected)
        if found != expected:
            misses.append({"expression": expression, "expected": expected, "found": found})
    everything = [is_right for column in right.values() for is_right in column]
    return {
        "n": len(everything),
        "share": sum(everything) / len(everything),
        "by_kind": {kind: f"{sum(column)}/{len(column)}" for kind, column in right.items()},
        "misses": misses,
    }


def evaluate_attachment(nlp: Language, gold: Sequence[Doc]) -> dict[str, float]:
    """Compute labelled and unlabelled attachment and tag accuracy on gold tokens.

    Returns:
        "las", "uas", "tags": shares of all words, punctuation included. "las_without_punctuation" is what
        spaCy's own scorer reports; "las_main_labels" counts "nmod:poss" as "nmod", as the CoNLL shared
        tasks do.
    """
    counts: dict[str, int] = defaultdict(int)
    blank = [Doc(nlp.vocab, words=[token.text for token in doc]) for doc in gold]
    for wanted, found in zip(gold, nlp.pipe(blank), strict=True):
        for a, b in zip(wanted, found, strict=True):
            same_head = a.head.i == b.head.i
            is_right = same_head and a.dep_ == b.dep_
            counts["words"] += 1
            counts["uas"] += same_head
            counts["las"] += is_right
            counts["las_main_labels"] += same_head and a.dep_.split(":")[0] == b.dep_.split(":")[0]
            counts["tags"] += a.pos_ == b.pos_
            if a.dep_ != "punct":
                counts["others"] += 1
                counts["others_right"] += is_right
    shares = {name: counts[name] / counts["words"] for name in ("las", "uas", "las_main_labels", "tags")}
    shares["las_without_punctuation"] = counts["others_right"] / counts["others"]
    return {"words": counts["words"]} | shares


def format_report(report: dict[str, Any]) -> str:
    """Format the report as text."""
    lines = []
    for name, heading in (("subjects", "the table"), ("drawn", "drawn scenes")):
        found = report[name]
        lines.append(f"subject exactly right: {found['share']:.3f} of {found['n']} in {heading}")
        lines += [f"  {kind}: {share}" for kind, share in found["by_kind"].items()]
        lines += [f"  {m['expression']!r}: {m['found']!r}, not {m['expected']!r}" for m in found["misses"]]
    lines += [f"{name}: {value:.4f}" for name, value in report.get("attachment", {}).items()]
    return "\n".join(lines)


def _parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parser", type=Path, default=_EMBEDDED_PARSER)
    parser.add_argument("--table", type=Path, default=PHRASE_TABLE)
    parser.add_argument(
        "--treebank", type=Path, help="has test.conllu; without it, no attachment is computed"
    )
    parser.add_argument("--scenes", type=int, default=100, help="number of drawn scenes")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()

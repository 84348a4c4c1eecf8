"""What the presets without a download answer on fixed pictures; `python -m tests.golden` writes it anew."""

import json
from pathlib import Path
from typing import Any

from ris.assembly import load_pipeline
from ris.config import Settings
from ris.core import rle
from ris.core.masks import compute_iou
from ris.labelstudio.images.decoding import decode_image
from ris.planning import compute_model_version, make_plan
from ris.pretrained.catalog.presets import PRESETS
from ris.pretrained.catalog.weights import check_model_files

FOLDER = Path(__file__).parent / "data" / "golden"
OUTPUTS = {"tiny": FOLDER / "outputs.json", "classical": FOLDER / "outputs_classical.json"}

EXPRESSIONS = {
    "ducks.png": (
        "cactus, black", "cactus beneath the black tent", "non black cactus", "duck on the right",
        "the two ducks on the left", "the ducks",
    ),
    "horses.png": ("a ball", "horse on the right", "black cat", "the top right horse", "the two horses"),
    "teapots.png": (
        "leftmost teapot", "horse by the umbrella", "teapot that is pink", "the big umbrella",
        "the non orange teapot",
    ),
}  # fmt: skip

# Another processor adds in another order: scores differ in the fourth digit, masks by single pixels. What is
# hardly probable can then change places with its neighbour, so it is not compared.
MIN_COMPARED_SCORE = 0.05
MIN_SAME_IOU = 0.98
MAX_SCORE_DIFFERENCE = 0.01
MAX_METHOD_DIFFERENCE = 0.005  # absolute, and as a share of the score


def compute_version(name: str) -> str:
    """The version of a preset, whatever the settings and the data of this machine are."""
    return compute_model_version(PRESETS[name], check_model_files(PRESETS[name].sources, Path(), fetch=""))


def compute_outputs(name: str) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """By picture and expression, the suggestions, best first."""
    pipeline = load_pipeline(make_plan(Settings(_env_file=None, preset=name)))
    outputs: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for picture, expressions in EXPRESSIONS.items():
        image = decode_image((FOLDER / picture).read_bytes(), max_pixels=10**6)
        found = pipeline.refer_all(pipeline.see(image), expressions)
        outputs[picture] = {
            expression: [_to_json(suggestion) for suggestion in result.suggestions]
            for expression, result in zip(expressions, found, strict=True)
        }
    return outputs


def _to_json(suggestion: Any) -> dict[str, Any]:
    return {
        "score": round(suggestion.score, 4),
        "methods": {name: round(given.score, 4) for name, given in sorted(suggestion.methods.items())},
        "size": list(suggestion.mask.size),
        "mask": rle.to_string(suggestion.mask),
    }


def find_differences(outputs: dict[str, Any], golden: dict[str, Any]) -> list[str]:
    """The golden suggestions that are not in the outputs, one line each."""
    return [
        f"{picture}, {expression!r}: no mask like the one with score {wanted['score']}"
        for picture, by_expression in golden.items()
        for expression, suggestions in by_expression.items()
        for wanted in suggestions
        if wanted["score"] >= MIN_COMPARED_SCORE
        and not any(_is_same(found, wanted) for found in outputs[picture][expression])
    ]


def _is_same(found: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return (
        found["size"] == wanted["size"]
        and compute_iou(_decode_mask(found), _decode_mask(wanted)) >= MIN_SAME_IOU
        and abs(found["score"] - wanted["score"]) <= MAX_SCORE_DIFFERENCE
        and found["methods"].keys() == wanted["methods"].keys()
        and all(
            abs(found["methods"][name] - score) <= MAX_METHOD_DIFFERENCE * max(1, abs(score))
            for name, score in wanted["methods"].items()
        )
    )


def _decode_mask(suggestion: dict[str, Any]) -> Any:
    height, width = suggestion["size"]
    return rle.decode_rle(rle.from_string(suggestion["mask"], (height, width)))


if __name__ == "__main__":
    for preset, path in OUTPUTS.items():
        written = {"version": compute_version(preset), "outputs": compute_outputs(preset)}
        path.write_text(json.dumps(written, indent=1) + "\n")

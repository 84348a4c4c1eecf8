"""Measure what a JSON body costs in memory: `python -m benchmarks.bodies`.

The peak of the objects that are made from a body until a webhook can be stored, and until
the tasks of /predict are read: bytes for each byte of the body, itself included. "refused" is the answer 413.
"""

import argparse
import json
import tracemalloc
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from benchmarks.processor import print_processor
from ris.errors import OversizedError
from ris.labelstudio.body import parse_body, parse_predict
from ris.labelstudio.stored_body import redact_event, to_canonical_json

REGION = {
    "original_width": 800, "original_height": 600, "image_rotation": 0, "id": "Ab12", "from_name": "mask",
    "to_name": "image", "type": "rectanglelabels", "origin": "manual",
    "value": {"x": 12.5, "y": 40.25, "width": 10.125, "height": 7.5, "rotation": 0, "labels": ["1st"]},
}  # fmt: skip
SHAPES: dict[str, object] = {
    "run lengths of a brush": [12, 255, 0, 7] * 1000,
    "points of a polygon": [[12.345678901234, 45.678901234567]] * 1000,
    "boxes": [REGION] * 100,
    "text": "the red mug on the left of the blue one " * 1000,
    "{},{},...": [{}] * 1000,
    "[],[],...": [[]] * 1000,
    '"a","b",...': [f"{number:x}" for number in range(1000)],
    "1000,1001,...": list(range(1000, 2000)),
}


def measure_growth(use: Callable[[bytearray], object], body: bytearray) -> str:
    """Return the peak of memory in bytes for each byte of the body, or "refused"."""
    tracemalloc.start()
    try:
        use(body)
    except OversizedError:
        return "refused"
    finally:
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return f"{1 + peak_bytes / len(body):.1f}"


def intake_webhook(body: bytearray) -> str:
    """Do what the server does before a webhook is stored."""
    parsed = parse_body(body, "/webhook")
    return to_canonical_json(redact_event(parsed))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=16, help="size of each body")
    size = parser.parse_args().megabytes * 2**20
    print_processor()
    table = Table(
        "values", "webhook", "/predict, in earlier answers", "/predict, in the data", "/predict, as tasks"
    )
    for name, value in SHAPES.items():
        text = json.dumps(value, separators=(",", ":"))
        inside = text[1:-1] if isinstance(value, list) else text
        values = ",".join([inside] * (size // len(inside)))
        webhook = f'{{"action":"X","annotation":{{"id":1,"result":[{values}]}}}}'
        asked = '{"project":"1.2","tasks":[%s]}'
        bodies = [
            asked % f'{{"id":1,"data":{{}},"annotations":[{values}]}}',
            asked % f'{{"id":1,"data":{{"more":[{values}]}}}}',
            asked % values,
        ]
        table.add_row(
            name, measure_growth(intake_webhook, bytearray(webhook.encode())),
            *(measure_growth(parse_predict, bytearray(one.encode())) for one in bodies),
        )  # fmt: skip
    Console(width=120).print(table)


if __name__ == "__main__":
    main()

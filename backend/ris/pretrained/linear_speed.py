"""Measure which way of a product is the fastest on this machine, once, and keep it in a file.

The ways of `rows @ weight.T + bias` on a CPU:

* *plain*: PyTorch's `linear`. In float32 it is MKL on x86-64, which uses only half of the vector width of
  AMD's processors with AVX-512.
* *packed*: oneDNN's product, with the weight reordered once for it. It is the faster one in most shapes on
  the processors that were measured (`benchmarks/README.md`), and has a higher cost a call.
* *unpacked*: oneDNN's product with a weight that it reorders in every call, for weights that are made on the
  way.

A processor or a build of PyTorch that cannot compute a way takes infinite time for it.
"""

import json
import logging
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor
from torch.nn import functional

from ris.pretrained.processor import describe_processor

log = logging.getLogger(__name__)

SPEED_FILE = "linear_speeds.json"  # in the folder of the models
_FORMAT = 1  # of the file; another number is measured again
_ROW_COUNTS = (8, 32, 128)  # rows of the measured products; a larger product has the rate of 128 rows
_MAX_ROUNDS = 5
_BUDGET_S = 0.02  # for the rounds of one product, after a first one that warms up
_MAX_RESOLUTION_S = 1e-6  # of a clock that can time products; Windows counts a thread's time in 16 ms
_MIN_GAIN = 1.03  # below it, the plain way is kept: two timings differ by as much without a cause
_MIN_BF16_GAIN = 1.25  # less is spent on the conversions between the products
_BF16_SHAPE = (128, 768, 3072)  # rows, in and out: of a ViT-B, whose weights exceed the nearer caches
_PACKED_ROWS = 64  # oneDNN chooses the weight's order for a number of rows; this one was best for all


def pack_weight(weight: Tensor) -> Tensor:
    """Reorder a weight [O, K] for `multiply_packed`; the result is of use for nothing else."""
    packed: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight.detach(), _PACKED_ROWS)
    return packed


def multiply_packed(rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Compute `rows @ weight.T + bias` by oneDNN, without a gradient.

    Args:
        rows: float [..., K], of the weight's dtype.
        weight: of `pack_weight`, or float [O, K], which is then reordered in this call.
        bias: float [O], or None.
    """
    product: Tensor = torch.ops.mkldnn._linear_pointwise(rows, weight, bias, "none", [], "")
    return product


class LinearSpeeds:
    """What was measured on this machine, with the present number of threads.

    A context manager: the end of a `with` block writes what was measured in it. The file is JSON: by
    processor, threads and version of PyTorch, the answers by their questions. A file that is damaged or
    cannot be written costs another measurement and a line in the log.

    Args:
        folder: of the file. Nothing is kept with None, and where there is no such folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._path = None if folder is None else folder / SPEED_FILE
        self._machine = describe_machine()
        self._entries = self._read().get(self._machine, {})
        self._is_changed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.save()

    def find_packed_from(self, n_in: int, n_out: int, dtype: torch.dtype) -> int | None:
        """Find the number of rows from which the packed way is faster than the plain one.

        Args:
            n_in: K of the layer.
            n_out: O of the layer.
            dtype: of rows and weight.

        Returns:
            0 if it is faster for every number, None if for none.
        """
        question = f"{_name_dtype(dtype)} {n_in} to {n_out}, packed from rows"
        answer = self._entries.get(question, "")
        if answer is None or (isinstance(answer, int) and answer in (0, *_ROW_COUNTS)):
            return answer
        found = measure_packed_from(n_in, n_out, dtype)
        self._keep(question, found)
        return found

    def is_bf16_faster(self, device: str) -> bool:
        """Tell whether a device multiplies in bfloat16 faster than in float32, each by its fastest way."""
        question = f"bfloat16 on {device} is faster"
        answer = self._entries.get(question)
        if isinstance(answer, bool):
            return answer
        found = measure_bf16_gain(device) >= _MIN_BF16_GAIN
        self._keep(question, found)
        return found

    def save(self) -> None:
        """Write what was measured since the file was read, beside what other processes wrote meanwhile."""
        if self._path is None or not self._is_changed or not self._path.parent.is_dir():
            return
        machines = self._read()
        machines[self._machine] = {**machines.get(self._machine, {}), **self._entries}
        text = json.dumps({"format": _FORMAT, "machines": machines}, indent=1, sort_keys=True)
        try:
            _replace_text(self._path, text)
        except OSError as error:
            log.warning(
                "%s cannot be written (%s); each start measures the processor again", self._path, error
            )
        self._is_changed = False

    def _keep(self, question: str, answer: int | bool | None) -> None:
        self._entries[question] = answer
        self._is_changed = True

    def _read(self) -> dict[str, dict[str, Any]]:
        """Read the answers by machine; {} where there are none that can be read."""
        if self._path is None or not self._path.exists():
            return {}
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
            machines = content["machines"] if content["format"] == _FORMAT else {}
            if all(isinstance(one, dict) for one in machines.values()):
                return dict(machines)
            reason = "it does not have the form that this version writes"
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            reason = f"{type(error).__name__}: {error}"
        log.warning("%s is damaged (%s); the processor is measured again", self._path, reason)
        return {}


def describe_machine() -> str:
    """Name all that the speed of a product depends on: processor, threads, PyTorch and its vector width."""
    return (
        f"{describe_processor()}, {torch.get_num_threads()} threads, torch {torch.__version__}, "
        f"{torch.backends.cpu.get_cpu_capability()}"
    )


def measure_packed_from(n_in: int, n_out: int, dtype: torch.dtype) -> int | None:
    """Measure what `LinearSpeeds.find_packed_from` answers; it takes up to 0.1 s."""
    weight, bias = _make_operand(n_out, n_in, dtype=dtype), _make_operand(n_out, dtype=dtype)
    packed_from = None
    for count in reversed(_ROW_COUNTS):
        rows = _make_operand(count, n_in, dtype=dtype)
        plain, packed = measure_ways(
            [partial(functional.linear, rows, weight, bias), _make_packed(rows, weight, bias)],
            _choose_clock(),
        )
        if packed * _MIN_GAIN > plain:
            break
        packed_from = count
    return 0 if packed_from == _ROW_COUNTS[0] else packed_from


@cache
def is_unpacked_faster(n_rows: int, n_in: int, n_out: int, n_threads: int) -> bool:
    """Measure whether oneDNN is faster than the plain way for a float32 weight that it must reorder.

    Args:
        n_rows: of the product.
        n_in: K of the weight.
        n_out: O of the weight.
        n_threads: the present number of threads, with which the answer is kept.
    """
    rows, weight, bias = _make_operand(n_rows, n_in), _make_operand(n_out, n_in), _make_operand(n_out)
    plain, unpacked = measure_ways(
        [lambda: functional.linear(rows, weight, bias), lambda: multiply_packed(rows, weight, bias)],
        _choose_clock(),
    )
    return unpacked * _MIN_GAIN <= plain


def measure_bf16_gain(device: str) -> float:
    """Measure how many times as fast as in float32 a device multiplies in bfloat16; 0 if it cannot."""
    best = {}
    for dtype in (torch.float32, torch.bfloat16):
        n_rows, n_in, n_out = _BF16_SHAPE
        rows, weight, bias = (
            _make_operand(*shape, dtype=dtype, device=device)
            for shape in ((n_rows, n_in), (n_out, n_in), (n_out,))
        )
        plain = partial(_multiply_and_wait, rows, weight, bias)
        ways: list[Callable[[], Any]] = [plain]
        if device == "cpu":
            ways.append(_make_packed(rows, weight, bias))
        best[dtype] = min(measure_ways(ways, _choose_clock() if device == "cpu" else time.perf_counter))
    return best[torch.float32] / best[torch.bfloat16]


def _multiply_and_wait(rows: Tensor, weight: Tensor, bias: Tensor) -> Any:
    """Multiply by the plain way, and read a value, which waits for a device that computes on its own."""
    return functional.linear(rows, weight, bias)[0, 0].item()


def _choose_clock() -> Callable[[], float]:
    """Choose the clock for work on the CPU: with one thread its own time, which other programs delay less."""
    if torch.get_num_threads() == 1 and time.get_clock_info("thread_time").resolution <= _MAX_RESOLUTION_S:
        return time.thread_time
    return time.perf_counter


def measure_ways(
    ways: Sequence[Callable[[], Any]], clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    """Measure the seconds of each way: the shortest of a few alternating rounds; infinite if it fails."""
    seconds = [float("inf")] * len(ways)
    started, able = 0.0, list(range(len(ways)))
    with torch.inference_mode():
        for round_number in range(1 + _MAX_ROUNDS):
            for i in tuple(able):
                start = clock()
                try:
                    ways[i]()
                except (RuntimeError, AttributeError, TypeError) as error:
                    log.debug("a way of a product cannot be computed on this machine: %s", error)
                    able.remove(i)
                    seconds[i] = float("inf")
                    continue
                if round_number:
                    seconds[i] = min(seconds[i], clock() - start)
            if not round_number:
                started = clock()
            elif clock() - started > _BUDGET_S:
                break
    return seconds


def _make_operand(*shape: int, dtype: torch.dtype = torch.float32, device: str = "cpu") -> Tensor:
    """Make an operand without PyTorch's random numbers, whose state belongs to the caller."""
    return torch.full(shape, 0.5, dtype=dtype, device=device)


def _make_packed(rows: Tensor, weight: Tensor, bias: Tensor) -> Callable[[], Tensor]:
    """Make the packed way of a product; it packs when it is first called, which may fail."""
    packed: list[Tensor] = []

    def multiply() -> Tensor:
        if not packed:
            packed.append(pack_weight(weight))
        return multiply_packed(rows, packed[0], bias)

    return multiply


def _name_dtype(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _replace_text(path: Path, text: str) -> None:
    """Write a file so that a reader finds the old one or the new one, whole."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise

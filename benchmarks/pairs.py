"""Time two ways of one work side by side, and refuse a way that should be faster and is not."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True, slots=True)
class PairTimes:
    """Medians over alternating rounds.

    Attributes:
        naive_s, ours_s: elapsed seconds.
        times: how many times as fast ours is, the median of the rounds' ratios of elapsed time.
        cpu_times: the same by processor time, of all threads.
    """

    naive_s: float
    ours_s: float
    times: float
    cpu_times: float


def time_pair(
    naive: Callable[[], Any], ours: Callable[[], Any], *, rounds: int, device: str = "cpu"
) -> PairTimes:
    """Time two ways alternately, A B A B. Run both once before: a first call allocates and measures."""
    rows = [(*_time_once(naive, device), *_time_once(ours, device)) for _ in range(rounds)]
    return PairTimes(
        naive_s=statistics.median(row[0] for row in rows),
        ours_s=statistics.median(row[2] for row in rows),
        times=statistics.median(row[0] / row[2] for row in rows),
        cpu_times=statistics.median(row[1] / max(row[3], 1e-9) for row in rows),
    )


def _time_once(work: Callable[[], Any], device: str) -> tuple[float, float]:
    """Return the elapsed and the processor seconds of one call."""
    started, started_cpu = time.perf_counter(), time.process_time()
    work()
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter() - started, time.process_time() - started_cpu


def refuse_slower(times: Mapping[str, float]) -> None:
    """End the program with a sentence and the status 1 if anything is slower than the naive way.

    Args:
        times: how many times as fast as the naive way each work is, by its name.

    Raises:
        SystemExit: a figure is below 1.
    """
    slower = [f"{name} ({ratio:.2f} times)" for name, ratio in times.items() if ratio < 1]
    if slower:
        raise SystemExit(
            f"slower than the naive way: {'; '.join(slower)}. Run it again on an idle machine. If it stays "
            "so, find the product that is slow there: `ris.pretrained.linear_speed` should choose another way"
        )

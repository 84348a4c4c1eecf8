"""What every script prints first: the processor, the cores, PyTorch and the load. Figures of two differ."""

import os
from importlib.metadata import version

from ris.pretrained.processor import describe_processor


def print_processor() -> None:
    """Print one line about the machine."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(f"{describe_processor()}, {cores} cores, PyTorch {version('torch')}{load}", flush=True)

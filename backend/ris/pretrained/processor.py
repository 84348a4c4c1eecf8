"""Name the processor and read its flags. Imports no network."""

import platform
import re
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
# Names alone are ambiguous ("AMD EPYC" has been one of six designs), so the numbers of the design are added.
_NUMBERS = ("cpu family", "model", "stepping", "CPU implementer", "CPU part", "CPU revision")
_WIDEST_FLAGS = ("amx_bf16", "avx512_bf16", "avx512f", "avx2", "sve2", "sve", "asimd")


def parse_cpu_flags(cpuinfo: str) -> frozenset[str]:
    """Read the flags of the first core from the text of `/proc/cpuinfo` ("Features" on ARM)."""
    return frozenset(_find_value(cpuinfo, "flags", "Features").split())


def read_cpu_flags() -> frozenset[str]:
    """Read the flags of this machine's processor; empty where the system has no such file, as on macOS."""
    return parse_cpu_flags(_read_cpuinfo())


def describe_processor(cpuinfo: str | None = None) -> str:
    """Name a processor by its design and its widest vector instructions.

    Args:
        cpuinfo: the text of `/proc/cpuinfo`; None reads that of this machine.

    Returns:
        Such as "AMD EPYC (cpu family 26, model 2, stepping 1; avx512_bf16, avx512f, avx2)".
    """
    text = _read_cpuinfo() if cpuinfo is None else cpuinfo
    name = _find_value(text, "model name", "Hardware") or platform.processor() or platform.machine()
    numbers = [f"{key} {value}" for key in _NUMBERS if (value := _find_value(text, key))]
    flags = parse_cpu_flags(text)
    details = "; ".join(filter(None, (", ".join(numbers), ", ".join(f for f in _WIDEST_FLAGS if f in flags))))
    return f"{name} ({details})" if details else name


def _find_value(cpuinfo: str, *keys: str) -> str:
    """Find the value of the first of the keys that the first core has; "" for none."""
    for key in keys:
        if found := re.search(rf"^{key}\s*:(.*)$", cpuinfo, re.MULTILINE):
            return found[1].strip()
    return ""


def _read_cpuinfo() -> str:
    return CPUINFO.read_text(errors="replace") if CPUINFO.is_file() else ""

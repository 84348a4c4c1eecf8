"""Check whether the processor has bfloat16 instructions. Imports no network.

PyTorch multiplies in bfloat16 on any processor. Without such instructions it converts to float32 and back:
on an AVX2 processor a task took seven times as long as in float32. PyTorch's own check,
`torch.ops.mkldnn._is_mkldnn_bf16_supported`, is also true for AVX-512 without bfloat16, so the flags of the
processor are read here.
"""

import re
from collections.abc import Collection
from pathlib import Path

from ris.errors import SettingsError

CPUINFO = Path("/proc/cpuinfo")
_BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})  # x86-64, x86-64, ARM


def parse_cpu_flags(cpuinfo: str) -> frozenset[str]:
    """Read the flags of the first core from the text of `/proc/cpuinfo` ("Features" on ARM)."""
    found = re.search(r"^(?:flags|Features)\s*:(.*)$", cpuinfo, re.MULTILINE)
    return frozenset(found[1].split()) if found else frozenset()


def read_cpu_flags() -> frozenset[str]:
    """Read the flags of this machine's processor; empty where the system has no such file, as on macOS."""
    return parse_cpu_flags(CPUINFO.read_text(errors="replace")) if CPUINFO.is_file() else frozenset()


def check_precision(precision: str, device: str, flags: Collection[str]) -> str:
    """Check that the processor supports a precision, and describe precision and device in words.

    A precision that the processor lacks is an error and is not replaced: the precision is a part of the
    version of every suggestion, and servers of one project on different machines must agree on it.

    Args:
        precision: "fp32" or "bf16".
        device: as PyTorch names it; only "cpu" is checked.
        flags: the processor's flags; empty where they are not known.

    Returns:
        Such as "bf16 on cpu".

    Raises:
        SettingsError: bfloat16 on a processor without bfloat16 instructions.
    """
    words = f"{precision} on {device}"
    if precision != "bf16" or device != "cpu":
        return words
    if not flags:
        return f"{words}; whether this processor has bf16 instructions is not known"
    if _BF16_FLAGS.isdisjoint(flags):
        best = next(
            (flag for flag in ("avx512f", "avx2", "asimd") if flag in flags), "no vector instructions"
        )
        raise SettingsError(
            "RIS_PRECISION is bf16, and this processor has no bf16 instructions (none of the flags "
            f"{', '.join(sorted(_BF16_FLAGS))}; it has {best}): it would be several times slower than fp32. "
            "Set RIS_PRECISION=fp32"
        )
    return words

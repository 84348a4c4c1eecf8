import pytest

from ris.pretrained import processor
from ris.pretrained.processor import describe_processor, parse_cpu_flags, read_cpu_flags

X86 = (
    "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 26\nmodel\t\t: 2\nmodel name\t: AMD EPYC\n"
    "stepping\t: 1\nflags\t\t: fpu avx2 avx512f {}\n\nprocessor\t: 1\nmodel name\t: another\nflags\t\t: fpu\n"
)
ARM = "processor\t: 0\nFeatures\t: fp asimd sve\nCPU implementer\t: 0x41\nCPU part\t: 0xd40\n"


def test_a_processor_is_named_by_its_design_and_its_widest_instructions():
    assert describe_processor(X86.format("avx512_bf16")) == (
        "AMD EPYC (cpu family 26, model 2, stepping 1; avx512_bf16, avx512f, avx2)"
    )


def test_two_designs_of_one_name_differ():
    assert describe_processor(X86) != describe_processor(X86.replace(": 26", ": 23"))


def test_a_processor_without_a_name_is_called_by_its_kind(monkeypatch):
    monkeypatch.setattr(processor.platform, "processor", lambda: "")
    monkeypatch.setattr(processor.platform, "machine", lambda: "aarch64")

    assert describe_processor(ARM) == "aarch64 (CPU implementer 0x41, CPU part 0xd40; sve, asimd)"
    assert describe_processor("") == "aarch64"


@pytest.mark.parametrize(
    ("cpuinfo", "flags"),
    [
        (X86.format("amx_bf16"), {"fpu", "avx2", "avx512f", "amx_bf16"}),
        (ARM, {"fp", "asimd", "sve"}),
        ("Hardware\t: BCM2835\n", set()),
    ],
)
def test_the_flags_are_those_of_the_first_core(cpuinfo, flags):
    assert parse_cpu_flags(cpuinfo) == flags


def test_the_flags_of_this_machine_can_be_read_where_linux_tells_them():
    assert all(flag == flag.strip() and flag for flag in read_cpu_flags())


def test_where_no_file_tells_the_flags_none_are_known(monkeypatch, tmp_path):
    monkeypatch.setattr(processor, "CPUINFO", tmp_path / "cpuinfo")

    assert read_cpu_flags() == frozenset()

import json
import logging

import pytest
import torch
from torch.nn import functional

from ris.pretrained import linear_speed
from ris.pretrained.linear_speed import (
    SPEED_FILE,
    LinearSpeeds,
    measure_bf16_gain,
    measure_packed_from,
    measure_ways,
    multiply_packed,
    pack_weight,
)


@pytest.fixture
def asked(monkeypatch):
    """The products that are measured; packed is faster from 32 rows on."""
    asked = []

    def measure(n_in, n_out, dtype):
        asked.append((n_in, n_out, dtype))
        return 32

    monkeypatch.setattr(linear_speed, "measure_packed_from", measure)
    return asked


def find_with_new_speeds(folder):
    with LinearSpeeds(folder) as speeds:
        return speeds.find_packed_from(768, 3072, torch.float32)


def test_a_product_is_measured_once_on_a_machine(asked, tmp_path):
    assert [find_with_new_speeds(tmp_path) for _ in range(3)] == [32, 32, 32]
    assert asked == [(768, 3072, torch.float32)]


@pytest.mark.parametrize("answer", [None, 0, 8, 32, 128])
def test_every_answer_is_read_as_it_was_written(monkeypatch, tmp_path, answer):
    monkeypatch.setattr(linear_speed, "measure_packed_from", lambda *_: answer)
    find_with_new_speeds(tmp_path)
    monkeypatch.setattr(linear_speed, "measure_packed_from", lambda *_: pytest.fail("measured again"))

    assert find_with_new_speeds(tmp_path) == answer


def test_each_shape_and_precision_is_measured(asked, tmp_path):
    with LinearSpeeds(tmp_path) as speeds:
        for product in ((768, 3072, torch.float32), (3072, 768, torch.float32), (768, 3072, torch.bfloat16)):
            speeds.find_packed_from(*product)

    assert len(asked) == 3


def test_another_machine_number_of_threads_or_library_is_measured_and_forgets_nothing(
    asked, monkeypatch, tmp_path
):
    for machine in ("one", "other", "one"):
        monkeypatch.setattr(linear_speed, "describe_machine", lambda name=machine: name)
        find_with_new_speeds(tmp_path)

    assert len(asked) == 2
    assert set(json.loads((tmp_path / SPEED_FILE).read_text())["machines"]) == {"one", "other"}


def test_a_machine_is_told_by_its_threads_and_pytorch():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = linear_speed.describe_machine()
        torch.set_num_threads(2)
        two = linear_speed.describe_machine()
    finally:
        torch.set_num_threads(before)

    assert one.replace("1 threads", "2 threads") == two != one
    assert f"torch {torch.__version__}" in one


def test_what_another_process_wrote_meanwhile_stays(asked, tmp_path):
    with LinearSpeeds(tmp_path) as slow:
        slow.find_packed_from(64, 64, torch.float32)
        find_with_new_speeds(tmp_path)

    (answers,) = json.loads((tmp_path / SPEED_FILE).read_text())["machines"].values()
    assert len(answers) == 2


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"\xff\xfe", b"[]", b"3", b'{"format": 1}', b'{"format": 1, "machines": [1]}',
        b'{"format": 1, "machines": {"one": 3}}',
    ],
)  # fmt: skip
def test_a_damaged_file_is_measured_again_and_replaced_and_the_log_says_so(asked, tmp_path, caplog, content):
    (tmp_path / SPEED_FILE).write_bytes(content)

    assert [find_with_new_speeds(tmp_path) for _ in range(2)] == [32, 32]

    assert len(asked) == 1
    assert "is damaged" in caplog.text and "the processor is measured again" in caplog.text


def test_an_answer_that_none_could_be_is_measured_again(asked, tmp_path, monkeypatch):
    monkeypatch.setattr(linear_speed, "describe_machine", lambda: "one")
    question = "float32 768 to 3072, packed from rows"
    for wrong in ("32", -1, 7, [], True):
        machines = {"one": {question: wrong}}
        (tmp_path / SPEED_FILE).write_text(json.dumps({"format": 1, "machines": machines}))

        assert find_with_new_speeds(tmp_path) == 32

    assert len(asked) == 5


def test_a_file_of_another_format_is_measured_again_without_a_complaint(asked, tmp_path, caplog):
    (tmp_path / SPEED_FILE).write_text('{"format": 0, "machines": {}}')

    assert find_with_new_speeds(tmp_path) == 32
    assert not caplog.records


def test_a_file_that_cannot_be_written_is_a_line_in_the_log(asked, tmp_path, caplog):
    (tmp_path / SPEED_FILE / "in the way").mkdir(parents=True)

    with caplog.at_level(logging.WARNING):
        assert find_with_new_speeds(tmp_path) == 32

    assert "cannot be written" in caplog.text
    assert [path.name for path in tmp_path.iterdir()] == [SPEED_FILE]  # no half of a file beside it


def test_without_a_folder_nothing_is_kept(asked, tmp_path):
    for folder in (None, tmp_path / "missing"):
        assert find_with_new_speeds(folder) == 32

    assert len(asked) == 2
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("gain", "is_faster"), [(0.1, False), (1.2, False), (1.3, True), (6.0, True)])
def test_bf16_must_be_clearly_faster_and_is_measured_once(monkeypatch, tmp_path, gain, is_faster):
    gains = [gain]
    monkeypatch.setattr(linear_speed, "measure_bf16_gain", lambda device: gains.pop())

    for _ in range(2):
        with LinearSpeeds(tmp_path) as speeds:
            assert speeds.is_bf16_faster("cpu") is is_faster


def test_a_way_that_a_machine_cannot_compute_is_never_the_fastest():
    def fail():
        raise RuntimeError("could not create a primitive descriptor")

    failing, working = measure_ways([fail, lambda: None])

    assert failing == float("inf")
    assert 0 <= working < 1


def test_a_way_is_as_fast_as_its_fastest_round():
    ticks = iter(range(10_000))
    calls = []

    assert measure_ways(
        [lambda: calls.append("a"), lambda: calls.append("b")], lambda: next(ticks) / 4096
    ) == [1 / 4096, 1 / 4096]
    assert calls == ["a", "b"] * 6  # a round to warm up, and five


@pytest.mark.parametrize(
    ("packed_s", "packed_from"),
    [
        ({8: 2, 32: 2, 128: 2}, None),
        ({8: 2, 32: 2, 128: 0.5}, 128),
        ({8: 2, 32: 0.5, 128: 0.5}, 32),
        ({8: 0.5, 32: 0.5, 128: 0.5}, 0),
        ({8: 0.5, 32: 2, 128: 0.5}, 128),
        ({8: 0.99, 32: 0.99, 128: 0.99}, None),
    ],
)
def test_packed_is_taken_from_the_rows_on_from_which_it_is_always_faster(monkeypatch, packed_s, packed_from):
    counts = iter((128, 32, 8))
    monkeypatch.setattr(linear_speed, "measure_ways", lambda ways, clock: [1.0, packed_s[next(counts)]])

    assert measure_packed_from(16, 16, torch.float32) == packed_from


def test_this_machine_can_be_measured():
    assert measure_packed_from(64, 32, torch.float32) in (None, 0, 32, 128)
    assert measure_bf16_gain("cpu") > 0


@pytest.mark.parametrize("shape", [(640, 5), (8, 80, 5), (3, 217, 5), (3, 7, 5), (1, 5), (0, 5)], ids=str)
@pytest.mark.parametrize("n_out", [48, 3])
def test_onednn_multiplies_as_pytorch_does_packed_or_not(shape, n_out):
    rows, weight, bias = torch.randn(shape), torch.randn(n_out, 5), torch.randn(n_out)
    wanted = functional.linear(rows, weight, bias)

    for one in (weight, pack_weight(weight)):
        made = multiply_packed(rows, one, bias)

        assert made.is_contiguous()
        torch.testing.assert_close(made, wanted, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(multiply_packed(rows, one, None), rows @ weight.T, rtol=1e-5, atol=1e-5)

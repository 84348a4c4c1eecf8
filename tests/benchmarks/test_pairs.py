import pytest

from benchmarks import pairs
from benchmarks.pairs import PairTimes, refuse_slower, time_pair


def test_what_is_as_fast_as_the_naive_way_is_accepted():
    refuse_slower({})
    refuse_slower({"texts": 1.0, "masks": 6.2})


def test_what_is_slower_ends_the_program_with_a_sentence_that_names_it():
    with pytest.raises(SystemExit) as ended:
        refuse_slower({"texts": 0.99, "masks": 6.2, "maps": 0.5})

    assert str(ended.value).startswith(
        "slower than the naive way: texts (0.99 times); maps (0.50 times). Run it again on an idle machine."
    )
    assert ended.value.code not in (0, None)


def test_both_ways_run_by_turns_and_the_ratio_is_the_median_of_the_rounds(monkeypatch):
    elapsed, spent, calls = [0.0], [0.0], []
    monkeypatch.setattr(pairs.time, "perf_counter", lambda: elapsed[0])
    monkeypatch.setattr(pairs.time, "process_time", lambda: spent[0])
    naive_s, ours_s = iter((8.0, 80.0, 4.0)), iter((2.0, 8.0, 2.0))  # 4, 10 and 2 times

    def work(name, seconds):
        calls.append(name)
        step = next(seconds)
        elapsed[0] += step
        spent[0] += 3.0 if name == "naive" else 1.0

    times = time_pair(lambda: work("naive", naive_s), lambda: work("ours", ours_s), rounds=3)

    assert calls == ["naive", "ours"] * 3
    assert times == PairTimes(naive_s=8.0, ours_s=2.0, times=4.0, cpu_times=3.0)

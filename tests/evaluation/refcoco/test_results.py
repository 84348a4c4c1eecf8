"""Results in pieces: duplicates, losses and damage."""

from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from ris.datasets.benchmark import Benchmark
from ris.datasets.entry import Entry
from ris.errors import DatasetError
from ris.evaluation.refcoco import results
from ris.evaluation.refcoco.outcome import BenchmarkOutcome, group_by_image
from ris.evaluation.refcoco.results import (
    find_damaged_pieces,
    find_unfinished_images,
    read_results,
    remove_results,
    write_piece,
    write_pieces,
)
from ris.evaluation.refcoco.shard import Shard

ALL = Shard(1, 1)
IMAGES = [f"{i}.png" for i in range(5)]
BENCHMARK = Benchmark(
    "drawn", "ris", tuple(Entry(f"{w} of {i}", i, (4, 8), None, False, "val") for i in IMAGES for w in "ab")
)
GROUPS = group_by_image(BENCHMARK, ["val"])


def rows(group, version="fake-1"):
    return [
        BenchmarkOutcome(
            "drawn", "ris", "val", group.image, number, entry.expression, method, True, 8, 16, 0.5, "04",
            4, 8, "", version, 0.25,
        )
        for number, entry in group.samples
        for method in ("lgd", "fusion")
    ]  # fmt: skip


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_rows_come_back_as_they_were_written(tmp_path):
    first, second = rows(GROUPS[0]), rows(GROUPS[1])
    write_piece(tmp_path, ALL, first)
    write_piece(tmp_path, ALL, second)

    table = read_results([tmp_path])

    assert [BenchmarkOutcome(**row) for row in table.to_pylist()] == first + second
    assert names(tmp_path) == ["piece-1of1-000000.parquet", "piece-1of1-000001.parquet"]


def test_what_is_done_is_not_done_again(tmp_path):
    write_piece(tmp_path, ALL, rows(GROUPS[0]) + rows(GROUPS[3]))

    undone = find_unfinished_images(tmp_path, "fake-1", BENCHMARK, GROUPS)

    assert [group.image for group in undone] == ["1.png", "2.png", "4.png"]


def test_a_folder_that_is_not_there_has_everything_left(tmp_path):
    assert find_unfinished_images(tmp_path / "new", "fake-1", BENCHMARK, GROUPS) == GROUPS


def test_a_damaged_piece_is_found_wherever_the_damage_is_and_its_images_are_left(tmp_path):
    whole = write_piece(tmp_path, ALL, rows(GROUPS[0]))
    damaged_piece = write_piece(tmp_path, ALL, rows(GROUPS[1]))
    data = damaged_piece.read_bytes()
    for damaged in (b"", data[:100], data[:-20], data[:60] + bytes(20) + data[80:], data[:4] + data[-8:]):
        damaged_piece.write_bytes(damaged)

        assert find_damaged_pieces(tmp_path) == [damaged_piece]
        assert len(find_unfinished_images(tmp_path, "fake-1", BENCHMARK, GROUPS)) == 4
        with pytest.raises(
            DatasetError, match=f"{damaged_piece.name} is damaged; run ris benchmark refcoco with --out"
        ):
            read_results([tmp_path])
    assert pq.read_table(whole).num_rows == 4


def test_half_a_piece_has_no_name_of_a_piece(tmp_path, monkeypatch):
    def full(table, file, **more):
        file.write(b"PAR1")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(results.pq, "write_table", full)

    with pytest.raises(DatasetError, match="piece-1of1-000000.parquet cannot be written: No space left"):
        write_piece(tmp_path, ALL, rows(GROUPS[0]))
    assert names(tmp_path) == ["piece-1of1-000000.part"]
    assert find_damaged_pieces(tmp_path) == []


def test_whoever_stops_keeps_what_was_handed_on(tmp_path):
    running = write_pieces(tmp_path, ALL, (rows(group) for group in GROUPS))
    for _ in range(3):
        next(running)
    running.close()

    assert [g.image for g in find_unfinished_images(tmp_path, "fake-1", BENCHMARK, GROUPS)] == [
        "3.png",
        "4.png",
    ]


def test_a_piece_is_written_as_soon_as_it_has_its_images(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "IMAGES_PER_PIECE", 2)
    running = write_pieces(tmp_path, ALL, (rows(group) for group in GROUPS))
    for _ in range(4):
        next(running)

    assert len(names(tmp_path)) == 2
    assert list(running) == [rows(GROUPS[4])]
    assert read_results([tmp_path]).num_rows == 20


def test_results_of_another_model_are_refused(tmp_path):
    write_piece(tmp_path, ALL, rows(GROUPS[0]))

    with pytest.raises(
        DatasetError, match="holds results of fake-1, and this is fake-2; give another folder"
    ):
        find_unfinished_images(tmp_path, "fake-2", BENCHMARK, GROUPS)

    write_piece(tmp_path, ALL, rows(GROUPS[1], "fake-2"))
    with pytest.raises(DatasetError, match="these are results of fake-1, fake-2"):
        read_results([tmp_path])


def test_a_dataset_that_has_changed_is_refused(tmp_path):
    write_piece(tmp_path, ALL, rows(GROUPS[0]))
    changed = replace(GROUPS[0], samples=(*GROUPS[0].samples, (99, BENCHMARK.entries[-1])))

    with pytest.raises(DatasetError, match="holds results of 0.png with other expressions"):
        find_unfinished_images(tmp_path, "fake-1", BENCHMARK, [changed])


def test_shards_are_read_together_and_none_twice(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    for number, folder in enumerate((one, two), 1):
        folder.mkdir()
        shard = Shard(number, 2)
        list(write_pieces(folder, shard, (rows(group) for group in GROUPS if shard.has_image(group.image))))

    assert sorted(read_results([one, two])["sample"].unique().to_pylist()) == list(range(10))
    with pytest.raises(DatasetError, match="results are there twice, first that for .* of drawn"):
        read_results([one, two, one])


def test_to_begin_anew_removes_results_and_nothing_else(tmp_path):
    write_piece(tmp_path, ALL, rows(GROUPS[0]))
    (tmp_path / "piece-1of1-000001.part").write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("mine")

    remove_results(tmp_path)

    assert names(tmp_path) == ["notes.txt"]
    with pytest.raises(DatasetError, match="has no results of ris benchmark refcoco"):
        read_results([tmp_path])


def test_results_without_a_network_become_one_ranking_beside_the_others(tmp_path):
    with_networks, without = tmp_path / "networks", tmp_path / "floor"
    for folder in (with_networks, without):
        folder.mkdir()
    write_piece(with_networks, ALL, rows(GROUPS[0]))
    write_piece(without, ALL, rows(GROUPS[0], version="classical-1"))

    table = read_results([without, with_networks])

    assert table["method"].to_pylist() == ["lgd", "fusion", "lgd", "fusion", "no network", "no network"]
    assert table["model_version"][0].as_py() == "fake-1"
    assert set(read_results([without])["method"].to_pylist()) == {"lgd", "fusion"}


def test_results_without_a_network_are_not_counted_twice(tmp_path):
    for name, version in (("a", "fake-1"), ("b", "classical-1"), ("c", "classical-1")):
        (tmp_path / name).mkdir()
        write_piece(tmp_path / name, ALL, rows(GROUPS[0], version=version))

    with pytest.raises(DatasetError, match="2 results are there twice"):
        read_results([tmp_path / name for name in "abc"])

import pytest

from ris.batch.run_folder import RunFolder
from ris.errors import InputError, SettingsError


def test_a_run_leaves_nothing_behind(tmp_path):
    with RunFolder(tmp_path / "work", "1.1") as folder:
        folder.entries.write_text("x")
        folder.manifest.mkdir()

    assert list(tmp_path.iterdir()) == []


def test_shards_that_were_not_loaded_stay_for_the_next_run_of_the_project(tmp_path):
    with RunFolder(tmp_path, "1.1") as folder:
        (folder.shards / "a.parquet").write_text("x")
        (folder.shards / "b.0.part").write_text("x")

    with RunFolder(tmp_path, "1.1") as again:
        assert [path.name for path in again.shards.iterdir()] == ["a.parquet"]
    with RunFolder(tmp_path, "2.1") as other:
        assert list(other.shards.iterdir()) == []


def test_two_runs_of_a_project_do_not_share_a_folder(tmp_path):
    with (
        RunFolder(tmp_path, "1.1"),
        pytest.raises(InputError, match="another run of this project uses"),
    ):
        RunFolder(tmp_path, "1.1")


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("x")

    with pytest.raises(SettingsError, match="cannot be written: .*; name another folder with --work"):
        RunFolder(tmp_path / "file", "1.1")

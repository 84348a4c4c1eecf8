"""What is asked before gigabytes are downloaded."""

from types import SimpleNamespace

import pytest

from ris.cli.models import _check_download
from ris.errors import InputError, SettingsError


@pytest.fixture(autouse=True)
def disk(monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda place: SimpleNamespace(free=5 * 10**9))


def test_gigabytes_are_not_downloaded_where_nobody_can_be_asked(tmp_path, capsys):
    with pytest.raises(InputError, match="Download 2.00 GB into .* run it again with --yes"):
        _check_download(2 * 10**9, tmp_path, yes=False)

    assert "to download: 2.00 GB in total; free disk" in capsys.readouterr().out


@pytest.mark.parametrize(("n_bytes", "yes"), [(10**9, False), (2 * 10**9, True)])
def test_little_is_downloaded_without_a_question_and_much_with_yes(tmp_path, n_bytes, yes):
    _check_download(n_bytes, tmp_path / "not" / "there", yes=yes)


def test_what_does_not_fit_on_the_disk_is_not_downloaded(tmp_path):
    with pytest.raises(SettingsError, match="needs 6.00 GB, and the disk of .* has 5.0 GB: make room"):
        _check_download(6 * 10**9, tmp_path, yes=True)

"""The release check, on small repositories with one fault each."""

import subprocess
from pathlib import Path

import pytest

import ris
from scripts.release import Release, find_problems, main, read_changelog, read_version

ROOT = Path(__file__).parents[2]
CHANGELOG = """# Changelog

## Unreleased

## 1.2.0 - 2031-04-05

### Added

- Something.

## 1.1.0 - 2031-01-02

### Fixed

- Something else.
"""
MAKEFILE = "lint test docs wheel:\n\t@echo made $@\n"


@pytest.fixture
def repository(tmp_path):
    (tmp_path / "backend" / "ris").mkdir(parents=True)
    (tmp_path / "backend" / "ris" / "__init__.py").write_text('__version__ = "1.2.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    (tmp_path / "CITATION.cff").write_text("version: 1.2.0\ndate-released: 2031-04-05\n")
    (tmp_path / "Makefile").write_text(MAKEFILE)
    git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    return tmp_path


def git(folder, *arguments):
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    subprocess.run(["git", "-C", folder, *identity, *arguments], check=True)


def commit(folder):
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "a state")


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_clean_repository_with_matching_versions_can_be_released(repository):
    assert find_problems(repository) == []


def test_a_file_that_is_not_committed_stops_the_release(repository):
    (repository / "notes.txt").write_text("x")

    assert find_problems(repository) == ["not everything is committed (notes.txt): commit or remove it"]


def test_a_version_that_has_a_tag_is_not_released_again(repository):
    git(repository, "tag", "v1.2.0")

    assert find_problems(repository) == [
        "the tag v1.2.0 exists: raise __version__ in backend/ris/__init__.py"
    ]


def test_the_changelog_must_have_the_version_first(repository):
    edit(repository / "CHANGELOG.md", "1.2.0", "1.1.9")
    commit(repository)

    assert find_problems(repository) == [
        "CHANGELOG.md has 1.1.9 first, not 1.2.0: add the heading '## 1.2.0 - YYYY-MM-DD'"
    ]


def test_the_version_must_have_a_date(repository):
    edit(repository / "CHANGELOG.md", "1.2.0 - 2031-04-05", "1.2.0 - soon")
    edit(repository / "CITATION.cff", "2031-04-05", "soon")
    commit(repository)

    assert find_problems(repository) == ["CHANGELOG.md has 'soon' as the date of 1.2.0: write YYYY-MM-DD"]


def test_the_version_must_have_entries(repository):
    edit(repository / "CHANGELOG.md", "### Added\n\n- Something.\n", "")
    commit(repository)

    assert find_problems(repository) == ["CHANGELOG.md has no entries for 1.2.0: write what changed"]


def test_no_entry_is_left_under_unreleased(repository):
    edit(repository / "CHANGELOG.md", "## Unreleased\n", "## Unreleased\n\n- A late change.\n")
    commit(repository)

    assert find_problems(repository) == ["CHANGELOG.md has entries under Unreleased: move them under 1.2.0"]


def test_the_citation_must_have_the_version_and_the_date_of_the_changelog(repository):
    (repository / "CITATION.cff").write_text("version: 1.1.0\ndate-released: 2031-01-02\n")
    commit(repository)

    assert find_problems(repository) == [
        "CITATION.cff has version 1.1.0: write 1.2.0",
        "CITATION.cff has date-released 2031-01-02: write 2031-04-05",
    ]


def test_every_step_is_made_before_the_next_commands_are_printed(repository, capfd):
    assert main(repository) == 0

    printed = capfd.readouterr().out
    assert [line for line in printed.splitlines() if line.startswith("made")] == [
        "made lint", "made test", "made docs", "made wheel",
    ]  # fmt: skip
    assert "git tag -a v1.2.0 -m 'Version 1.2.0'" in printed


def test_nothing_is_tagged(repository):
    main(repository)

    tags = subprocess.run(["git", "-C", repository, "tag"], capture_output=True, text=True, check=True)
    assert tags.stdout == ""


def test_a_failed_step_stops_the_release_and_is_named(repository, capfd):
    edit(repository / "Makefile", "@echo made $@", "@test $@ != docs")
    commit(repository)

    assert main(repository) == 1
    assert "make docs failed: its messages are above" in capfd.readouterr().err


def test_a_step_that_changes_a_committed_file_stops_the_release(repository, capfd):
    edit(repository / "Makefile", "@echo made $@", "@echo >> CHANGELOG.md")
    commit(repository)

    assert main(repository) == 1
    assert "not everything is committed (CHANGELOG.md)" in capfd.readouterr().err


def test_no_step_is_made_in_a_repository_that_cannot_be_released(repository, capfd):
    git(repository, "tag", "v1.2.0")

    assert main(repository) == 1
    assert "made" not in capfd.readouterr().out


def test_the_changelog_is_read_by_version(repository):
    assert read_changelog(repository) == [
        Release("1.2.0", "2031-04-05", "### Added\n\n- Something."),
        Release("1.1.0", "2031-01-02", "### Fixed\n\n- Something else."),
    ]


def test_the_version_is_that_of_the_package():
    assert read_version(ROOT) == ris.__version__

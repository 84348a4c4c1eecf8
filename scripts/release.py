"""Check everything that a release needs, build it, and print what to do next. Nothing is tagged or pushed.

python -m scripts.release
"""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

STEPS = ("lint", "test", "docs", "wheel")


@dataclass(frozen=True, slots=True)
class Release:
    """One released version of the changelog.

    Attributes:
        version: as in the package, e.g. "0.2.0".
        date: as it is written, "YYYY-MM-DD".
        text: its entries, without the heading.
    """

    version: str
    date: str
    text: str


def read_changelog(root: Path) -> list[Release]:
    """Read the released versions of CHANGELOG.md, in their order there."""
    parts = re.split(r"^## (.+)\n", (root / "CHANGELOG.md").read_text(), flags=re.M)[1:]
    releases = []
    for heading, text in zip(parts[::2], parts[1::2], strict=True):
        found = re.fullmatch(r"(\d\S*) - (\S+)", heading)
        if found:
            releases.append(Release(found[1], found[2], text.strip()))
    return releases


def read_version(root: Path) -> str:
    """Read `__version__` of the package without importing it."""
    source = (root / "backend" / "ris" / "__init__.py").read_text()
    found = re.search(r'^__version__ = "(.+)"$', source, re.M)
    if found is None:
        raise ValueError('backend/ris/__init__.py has no line __version__ = "..."')
    return found[1]


def find_problems(root: Path) -> list[str]:
    """Find everything in the repository `root` that keeps its version from being released.

    Returns:
        One sentence per problem, with what to do.
    """
    version = read_version(root)
    return [
        *_find_uncommitted(root),
        *_find_tag(root, version),
        *_find_changelog_problems(root, version),
        *_find_citation_problems(root, version),
    ]


def _find_uncommitted(root: Path) -> list[str]:
    changed = _run_git(root, "status", "--porcelain").splitlines()
    if not changed:
        return []
    names = ", ".join(line[3:] for line in changed[:5]) + (", ..." if len(changed) > 5 else "")
    return [f"not everything is committed ({names}): commit or remove it"]


def _find_tag(root: Path, version: str) -> list[str]:
    if not _run_git(root, "tag", "--list", f"v{version}").strip():
        return []
    return [f"the tag v{version} exists: raise __version__ in backend/ris/__init__.py"]


def _find_changelog_problems(root: Path, version: str) -> list[str]:
    text = (root / "CHANGELOG.md").read_text()
    releases = read_changelog(root)
    problems = []
    unreleased = re.search(r"^## Unreleased\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    if unreleased and unreleased[1].strip():
        problems.append(f"CHANGELOG.md has entries under Unreleased: move them under {version}")
    if not releases or releases[0].version != version:
        newest = releases[0].version if releases else "no version"
        problems.append(
            f"CHANGELOG.md has {newest} first, not {version}: add the heading '## {version} - YYYY-MM-DD'"
        )
    elif not re.fullmatch(r"\d{4}-\d{2}-\d{2}", releases[0].date):
        problems.append(f"CHANGELOG.md has {releases[0].date!r} as the date of {version}: write YYYY-MM-DD")
    elif not releases[0].text:
        problems.append(f"CHANGELOG.md has no entries for {version}: write what changed")
    return problems


def _find_citation_problems(root: Path, version: str) -> list[str]:
    citation = yaml.safe_load((root / "CITATION.cff").read_text())
    dates = [release.date for release in read_changelog(root) if release.version == version]
    problems = []
    if citation["version"] != version:
        problems.append(f"CITATION.cff has version {citation['version']}: write {version}")
    if dates and str(citation["date-released"]) != dates[0]:
        problems.append(f"CITATION.cff has date-released {citation['date-released']}: write {dates[0]}")
    return problems


def _run_git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True, check=True).stdout


def main(root: Path) -> int:
    """Check, make every step, and check again, because `make docs` writes pages that are committed.

    Returns:
        The exit status: 0 if the version can be tagged, 1 with sentences otherwise.
    """
    problems = find_problems(root)
    if not problems:
        for step in STEPS:
            if subprocess.run(["make", "-C", root, step]).returncode:
                problems = [f"make {step} failed: its messages are above"]
                break
        else:
            problems = find_problems(root)
    version = read_version(root)
    if problems:
        print(f"{version} cannot be released:", *problems, sep="\n  ", file=sys.stderr)
        return 1
    print(
        f"{version} can be released. Wait until CI has passed for this commit, then:",
        f"git tag -a v{version} -m 'Version {version}'",
        f"git push origin v{version}",
        f"publish dist/*-{version}-*.whl, with the entries of {version} in CHANGELOG.md as notes",
        sep="\n  ",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(__file__).parents[1]))

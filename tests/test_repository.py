"""The files about the project agree with the project: versions, workflow, hooks and templates."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

import ris
from scripts.release import read_changelog

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text())
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = {*re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.M)}


def recipe(target):
    return re.search(rf"^{target}:[^\n]*\n((?:\t.*\n)*)", MAKEFILE, re.M)[1]


def steps(job):
    return WORKFLOW["jobs"][job]["steps"]


def commands(job):
    return "\n".join(step["run"] for step in steps(job) if "run" in step)


def test_the_version_is_written_in_the_package_and_read_from_there():
    assert PYPROJECT["project"]["dynamic"] == ["version"]
    assert PYPROJECT["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "ris.__version__"}


def test_the_citation_has_the_version_and_the_date_of_the_changelog():
    newest = next(release for release in read_changelog(ROOT) if release.version == ris.__version__)

    assert (CITATION["version"], str(CITATION["date-released"])) == (ris.__version__, newest.date)


def test_the_citation_names_nobody_but_the_developers_as_a_group():
    assert CITATION["authors"] == [{"name": "The referring-segmentation-backend developers"}]


def test_the_changelog_has_the_newest_version_first_and_an_iso_date_for_each():
    releases = read_changelog(ROOT)
    numbers = [tuple(map(int, release.version.split("."))) for release in releases]

    assert numbers == sorted(numbers, reverse=True)
    assert all(re.fullmatch(r"\d{4}-\d{2}-\d{2}", release.date) for release in releases)


def test_the_changelog_has_only_the_sections_of_keep_a_changelog():
    found = set(re.findall(r"^### (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.M))

    assert found <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_workflow_tests_every_python_that_the_package_allows():
    lowest, end = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", PYPROJECT["project"]["requires-python"]).groups()
    allowed = [f"3.{minor}" for minor in range(int(lowest), int(end))]

    matrix = WORKFLOW["jobs"]["tests"]["strategy"]["matrix"]["include"]

    assert [one["python"] for one in matrix] == allowed
    assert "make ${{ matrix.target }}" in commands("tests")


def test_one_python_of_the_workflow_runs_every_test():
    matrix = WORKFLOW["jobs"]["tests"]["strategy"]["matrix"]["include"]

    assert [one["target"] for one in matrix].count("coverage") == 1
    assert "make test-browser" in commands("browser")


def test_coverage_is_measured_on_the_tests_of_make_test():
    assert recipe("coverage") == recipe("test").rstrip("\n") + " --cov\n"


def test_every_target_that_the_workflow_makes_is_in_the_makefile():
    matrix = WORKFLOW["jobs"]["tests"]["strategy"]["matrix"]["include"]
    made = {one["target"] for one in matrix}
    for job in WORKFLOW["jobs"]:
        made |= set(re.findall(r"make ([a-z-]+)", commands(job)))

    assert made >= {"lint", "coverage", "test-browser", "wheel", "docs"}
    assert made <= TARGETS


def test_the_workflow_installs_the_wheel_away_from_the_source():
    """A wheel that needs a file of the checkout, or a library that it does not name, fails there."""
    last = steps("wheel")[-1]

    assert last["working-directory"] == "${{ runner.temp }}"
    for command in ("ris db upgrade", "ris suggest", "ris serve", "/health/ready"):
        assert command in last["run"]


def test_every_job_ends_and_may_only_read():
    assert WORKFLOW["permissions"] == {"contents": "read"}
    for job in WORKFLOW["jobs"].values():
        assert job["timeout-minutes"] <= 90


def test_every_action_is_pinned_by_a_version_tag():
    used = [step["uses"] for job in WORKFLOW["jobs"] for step in steps(job) if "uses" in step]

    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", name) for name in used), used


def test_the_hooks_run_the_programs_that_make_lint_runs_from_our_environment():
    """Another version of ruff would format differently."""
    (repository,) = HOOKS["repos"]

    assert repository["repo"] == "local"
    assert [hook["id"] for hook in repository["hooks"]] == ["ruff", "ruff-format", "mypy"]
    for hook in repository["hooks"]:
        assert hook["language"] == "system"
        program = " ".join(word for word in hook["entry"].split() if not word.startswith("-"))
        assert program.removeprefix(".venv/bin/") in recipe("lint").replace("$(VENV)/bin/", "")


@pytest.mark.parametrize("name", ["bug", "feature"])
def test_an_issue_form_asks_questions_with_ids_of_their_own(name):
    form = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / f"{name}.yml").read_text())
    questions = [element for element in form["body"] if element["type"] != "markdown"]
    ids = [question["id"] for question in questions]

    assert {"name", "description", "labels", "body"} == form.keys()
    assert len(ids) == len(set(ids))
    assert all(question["attributes"]["label"] for question in questions)
    assert any(question.get("validations", {}).get("required") for question in questions)


def test_a_vulnerability_is_not_reported_in_public():
    assert "Do not open a public issue" in (ROOT / "SECURITY.md").read_text()
    assert "SECURITY.md" in (ROOT / ".github" / "ISSUE_TEMPLATE" / "bug.yml").read_text()
    form = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / "config.yml").read_text())
    assert form == {"blank_issues_enabled": False}


def test_the_local_ci_runs_what_the_workflow_runs():
    local = (ROOT / ".ci" / "run").read_text()

    for target in ("lint", "(test|coverage)", "test-browser"):
        assert re.search(rf"^ *make {target}$", local, re.M)


def test_dependabot_watches_the_actions():
    watched = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())

    assert [one["package-ecosystem"] for one in watched["updates"]] == ["github-actions"]

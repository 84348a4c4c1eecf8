"""Write docs/cli.md from the commands, and docs/settings.md from the settings: `python docs/generate.py`."""

import re
import subprocess
import sys
from inspect import cleandoc
from pathlib import Path

from ris.config import Settings

DOCS = Path(__file__).parent
NOTE = "<!-- Written by docs/generate.py. Run `make docs` after a change of the code. -->\n\n"
SETTING = re.compile(r"\bRIS_[A-Z_]+[A-Z]\b")
KINDS = {"integer": "a whole number", "number": "a number", "boolean": "`true` or `false`", "path": "a path"}
LIMITS = {
    "minimum": "at least",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
}


def main() -> None:
    """Write both pages."""
    (DOCS / "cli.md").write_text(make_cli_page(), encoding="utf-8")
    (DOCS / "settings.md").write_text(make_settings_page(), encoding="utf-8")


def make_cli_page() -> str:
    """Render every command: typer's own Markdown, with an overview in place of its shortened lists."""
    typer = [sys.executable, "-m", "typer", "--app", "root_app", "ris.cli", "utils", "docs", "--name", "ris"]
    made = subprocess.run(typer, check=True, capture_output=True, text=True, encoding="utf-8").stdout
    made = re.sub(r"\*\*Commands\*\*:\n\n(\* .*\n)+\n", "", made)
    made = re.sub(r"\*\*Options\*\*:\n\n\* `--help`.*\n\n|\* `--help`.*\n", "", made)
    made = SETTING.sub(lambda name: f"[{name[0]}](settings.md#{name[0].lower()})", made)
    made = made.replace("$ ris", "ris").replace("```console", "```text")
    summaries = re.findall(r"^##+ `(ris .+)`\n\n(.+)", made, flags=re.MULTILINE)
    rows = [f"| [`{name}`](#{name.replace(' ', '-')}) | {summary} |" for name, summary in summaries]
    overview = "\n".join(["| command | what it does |", "|---|---|", *rows])
    _, about, sections = made.split("\n\n", 2)
    first = sections.index("## `ris")
    return f"{NOTE}# Command line\n\n{about}\n\n{overview}\n\n{sections[first:].rstrip()}\n"


def make_settings_page() -> str:
    """Render every setting: the text of the model's docstring; type, default and limits of its schema."""
    schema = Settings.model_json_schema()["properties"]
    text = [
        f"{NOTE}# Settings",
        "Each setting is an environment variable. A file `.env` in the working folder is read too; "
        "a variable of the environment wins over the file, and an option on the command line over both.",
    ]
    for names, description in read_descriptions(Settings.__doc__ or ""):
        variables = [f"RIS_{name.upper()}" for name in names]
        text.append("## " + ", ".join(f"`{one}`" for one in variables) + f" {{ #{variables[0].lower()} }}")
        text += [f'<span id="{one.lower()}"></span>' for one in variables[1:]]
        text.append(description[0].upper() + description[1:])
        rows = [
            f"* `RIS_{n.upper()}`: {_to_type(schema[n])}, default {_to_default(schema[n])}" for n in names
        ]
        text.append("\n".join(rows))
    return "\n\n".join(text) + "\n"


def read_descriptions(docstring: str) -> list[tuple[list[str], str]]:
    """Read the `Attributes:` section of a Google docstring: the names of each entry and its text."""
    section = cleandoc(docstring).partition("Attributes:\n")[2].partition("\n\n")[0]
    entries = re.split(r"\n?^ {4}(?=\w)", section, flags=re.MULTILINE)[1:]
    parted = [entry.partition(": ") for entry in entries]
    return [(names.split(", "), " ".join(description.split())) for names, _, description in parted]


def _to_type(field: dict) -> str:
    """Say which values a field takes."""
    one = next(each for each in field.get("anyOf", [field]) if each.get("type") != "null")
    if "enum" in one:
        return ", ".join(f"`{value}`" for value in one["enum"])
    limits = [f"{words} {one[key]:g}" for key, words in LIMITS.items() if key in one]
    return " ".join([KINDS.get(one.get("format", one["type"]), "text"), " and ".join(limits)]).strip()


def _to_default(field: dict) -> str:
    """Say what a field is when nobody sets it."""
    default = field.get("default")
    if default in (None, "", []):
        return "none"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


if __name__ == "__main__":
    main()

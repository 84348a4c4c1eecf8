"""What a probe found out about a model, and its file."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ris.errors import SettingsError
from ris.referring.grounding.dialects import DIALECTS, SYNTAXES, Dialect
from ris.referring.grounding.reading import Reading

# What a model's name suggests; the probe decides.
_PRIORS = (
    (r"visionreasoner|seg-?zero|vision-reasoner", "visionreasoner"),
    (r"qwen-?2\.5-?vl|qwen2_5", "qwen2.5-vl"),
    (r"qwen-?2-?vl|internvl", "box-tags"),
    (r"qwen", "qwen3-vl"),
    (r"molmo-?2", "molmo-2"),
    (r"molmo", "molmo"),
    (r"florence", "florence-2"),
    (r"paligemma", "paligemma"),
    (r"gemini|gemma", "gemini"),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a probe found out about one model of one server.

    Attributes:
        model: its name at the server.
        dialect: the name of the dialect whose question it answers.
        syntax: a key of `SYNTAXES`, how it writes coordinates.
        keys: the names that it gives places.
        reading: the frame of its coordinates.
        accuracy: share of the probe's questions that it answered rightly.
        error: median error of a coordinate, in shares of the side.
        says_none: whether it said of a thing that is not there that there is none.
    """

    model: str
    dialect: str
    syntax: str
    keys: tuple[str, ...]
    reading: Reading
    accuracy: float
    error: float
    says_none: bool

    def make_dialect(self) -> Dialect:
        """Make the dialect to ask and read this model with."""
        asked = DIALECTS[self.dialect]
        return replace(asked, syntaxes=(SYNTAXES[self.syntax],), reading=self.reading, keys=self.keys)

    @property
    def key(self) -> str:
        """How the model is asked and read, for the model version. Two probes that find the same agree."""
        reading = self.reading
        drift = [round(value, 2) for value in (*reading.gain, *reading.shift)]
        return f"{self.dialect}, {self.syntax}, {self.keys}, {reading}, {reading.offset}, {drift}"

    @property
    def summary(self) -> str:
        """What was found, for people."""
        reading = self.reading
        drift = max(abs(value - 1) for value in reading.gain), max(abs(value) for value in reading.shift)
        drifts = f"; drift of {100 * max(drift):.0f} % is corrected" if max(drift) > 0 else ""
        absent = "says" if self.says_none else "does not say"
        return (
            f"asked as {self.dialect}, writes {self.syntax} in {reading}{drifts}; right in "
            f"{100 * self.accuracy:.0f} % of the questions, median error {100 * self.error:.1f} % of a side; "
            f"{absent} that a thing is not there"
        )


def find_prior(model: str) -> Dialect:
    """Return the dialect that a model's name suggests; Qwen3-VL's for an unknown name."""
    name = model.lower()
    found = next((dialect for pattern, dialect in _PRIORS if re.search(pattern, name)), "qwen3-vl")
    return DIALECTS[found]


def get_finding_path(models: Path, url: str, model: str) -> Path:
    """Return the file of the finding about a model of a server.

    Args:
        models: the folder of the fetched networks.
        url: of the server.
        model: its name there.
    """
    digest = hashlib.sha256(json.dumps([url.rstrip("/"), model]).encode()).hexdigest()[:16]
    return models / "vlm" / f"{digest}.json"


def write_finding(path: Path, finding: Finding) -> None:
    """Write the file of a finding; its folder is made.

    Raises:
        SettingsError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(finding), indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{path} cannot be written ({error.strerror}); set RIS_MODELS_FOLDER") from error


def read_finding(path: Path) -> Finding | None:
    """Read the file of a finding; None if there is none.

    Raises:
        SettingsError: it is damaged.
    """
    try:
        values: Any = json.loads(path.read_text(encoding="utf-8"))
        read = values["reading"]
        reading = Reading(**read | {"gain": tuple(read["gain"]), "shift": tuple(read["shift"])})
        finding = Finding(**values | {"keys": tuple(values["keys"]), "reading": reading})
        finding.make_dialect()
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise SettingsError(f"{path} cannot be read; run `ris models probe` again") from error
    return finding

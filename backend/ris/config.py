"""Settings from the environment, read at the edge and nowhere else.

Each setting is a variable with the prefix `RIS_`, e.g. `RIS_DATABASE_URL`; a file `.env` in the
working folder is read too. `ris serve --help` and the README list them.
"""

import ipaddress
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ris.errors import SettingsError


class Settings(BaseSettings):
    """What a person can set, with what it is good for.

    Attributes:
        host, port: where `ris serve` listens.
        public_url: our own address as Label Studio reaches it, where that is not http://host:port, as in a
            container or behind a proxy. `ris connect` tells Label Studio, `ris doctor` looks whether it did.
        database_url: SQLite by default; PostgreSQL as postgresql://user@host/name, its password in PGPASSWORD
            (a variable of PostgreSQL's own, which is not read from `.env`).
        preset: which networks and thresholds; `ris models list` shows them.
        presets_file: a TOML file with presets of one's own.
        models_folder: where `ris models fetch` puts published networks, and where they are looked for.
        device: where the networks run: cpu, cuda, cuda:1 or mps.
        precision: of the methods' arithmetic; bf16 is faster where the hardware has it. Masks are made in
            fp32 always: in bf16 the embedded SAM makes other ones.
        alternatives: how many ranked masks an annotator is offered.
        shuffled_share: of the tasks, that are shown their alternatives in random order and without scores:
            only on those does the place of the accepted say whether people take what comes first.
        deadline_s: how long one /predict may take in all; Label Studio gives up after 100 s.
        label_studio_url, label_studio_api_key: where images come from, and our own key for it (a
            personal access token or a legacy token). Without them only public images can be read.
        label_studio_public_url: its address as browsers see it, where that is another, as in a container.
        image_hosts: other hosts that images may be fetched from, as host or host:port, by commas.
        max_image_bytes, max_image_pixels: larger pictures are refused, each with one sentence.
        scene_cache_mb: memory for scenes of images that were seen.
        scene_folder, scene_folder_mb: where they are kept over restarts, and how much of them.
        describer_url, describer_model, describer_key: who describes images for LGD. Without them the
            preset's own; with a model alone a folder or downloaded name of transformers; with a URL any
            endpoint that speaks OpenAI's chat completions, such as http://localhost:8000/v1.
        sync_interval_s: how often Label Studio's own state is read, when there is a key; 0 never.
        basic_auth_user, basic_auth_password: what Label Studio must send to every route but liveness.
        allow_anonymous: listen on other addresses than loopback without a password.
        log_level: INFO tells one line a request and never a body.
        log_format: "json" writes an object a line, with the request's id; "text" is for people.
    """

    model_config = SettingsConfigDict(env_prefix="RIS_", env_file=".env", extra="ignore", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=9090, ge=1, le=65535)
    public_url: str = ""
    database_url: str = Field(default="sqlite:///ris.db", repr=False)
    preset: str = "tiny"
    presets_file: str = ""
    models_folder: str = "~/.cache/ris/models"
    device: str = Field(default="cpu", pattern=r"^(cpu|mps|cuda(:\d+)?)$")
    precision: Literal["fp32", "bf16"] = "fp32"
    alternatives: int = Field(default=3, ge=1, le=9)
    shuffled_share: float = Field(default=0.0, ge=0, le=1)
    deadline_s: float = Field(default=60.0, gt=0, le=95)
    label_studio_url: str = "http://localhost:8080"
    label_studio_api_key: SecretStr | None = None
    label_studio_public_url: str = ""
    image_hosts: str = ""
    max_image_bytes: int = Field(default=64 * 2**20, gt=0)
    max_image_pixels: int = Field(default=64_000_000, gt=0)
    scene_cache_mb: int = Field(default=512, ge=0)
    scene_folder: str = ""
    scene_folder_mb: int = Field(default=4096, ge=0)
    describer_url: str = ""
    describer_model: str = ""
    describer_key: SecretStr | None = None
    sync_interval_s: float = Field(default=600.0, ge=0)
    basic_auth_user: str = ""
    basic_auth_password: SecretStr | None = None
    allow_anonymous: bool = False
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "text"] = "json"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def own_url(self) -> str:
        """Our own address as Label Studio reaches it, as far as the settings say."""
        return self.public_url or f"http://{format_host_port(self.host, self.port)}"

    @field_validator("host")
    @classmethod
    def _strip_brackets(cls, host: str) -> str:
        return host.strip("[]")

    @field_validator("label_studio_url", "public_url")
    @classmethod
    def _check_url(cls, url: str, info: ValidationInfo) -> str:
        if not url and info.field_name == "public_url":
            return url
        if not url.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return url.rstrip("/")


def format_host_port(host: str, port: int) -> str:
    """The two as they stand in a URL: an IPv6 host in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def read_settings(**given: object) -> Settings:
    """The settings of this process; `given` wins over the environment, the environment over `.env`.

    Raises:
        SettingsError: a value has no meaning; the message names the variable.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        got = "an address with a password" if "@" in str(first["input"]) else repr(first["input"])
        raise SettingsError(f"RIS_{name}: {first['msg']}, got {got}") from error

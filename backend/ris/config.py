"""Settings from the environment, read at the edge of the program alone.

Each setting is a variable with the prefix `RIS_`, e.g. `RIS_DATABASE_URL`. A file `.env` in the working
folder is read too. A blank variable counts as not set. `docs/settings.md` lists all settings; it is
generated from the docstring and the fields of `Settings`.
"""

import ipaddress
import re
import socket
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ris.errors import SettingsError
from ris.redaction.messages import shorten_message

_HOST = re.compile(
    r"[^\s\\<>\"^`{|}]+"
)  # a name that DNS may know, or an address; underscores occur in Docker


class Settings(BaseSettings):
    """All settings of the program.

    Attributes:
        host, port: the address on which `ris serve` listens.
        public_url: the backend's address as Label Studio reaches it, where that is not http://host:port, as
            in a container or behind a proxy. `ris connect` gives it to Label Studio, and `ris doctor`
            checks it.
        database_url: a SQLAlchemy URL. For PostgreSQL write postgresql://user@host/name and set its
            password in PGPASSWORD, a variable of PostgreSQL that is not read from `.env`.
        preset: the networks and the numbers of the methods. `ris models list` shows the choice.
        presets_file: a TOML file with your own presets.
        models_folder: the folder that `ris models fetch` stores published networks in. They are loaded from
            there.
        device: the device that runs the networks: cpu, cuda, cuda:1 or mps.
        precision: the arithmetic of the methods' networks. bf16 is faster on hardware that supports it. auto
            measures once whether this machine multiplies faster in bf16, and keeps the answer in the models
            folder; servers of one project on different machines should not use it, because they may come to
            different answers, which are different model versions. Masks are always computed in fp32, because
            in bf16 the embedded SAM computes other masks.
        alternatives: the largest number of ranked masks that a task is given. Another number makes another
            model version of the suggestions, so that tasks are answered anew. Learned rankings stay in use.
        shuffled_share: the share of tasks whose alternatives are shown in random order and without scores.
            Only these tasks tell whether annotators prefer what is shown first.
        deadline_s: the longest time for the answer to one /predict, in seconds. Label Studio gives up after
            100 s.
        label_studio_url, label_studio_api_key: the address of Label Studio, and a key for its API: a
            personal access token or a legacy token. Without a key only public images can be read.
        label_studio_public_url: the address of Label Studio as browsers see it, where it is another one, as
            in a container.
        image_hosts: further hosts that images may be fetched from, as host or host:port, separated by
            commas.
        max_image_bytes, max_image_pixels: the largest file, in bytes, and the largest image, in pixels. A
            task with a larger one is refused.
        scene_cache_mb: memory for the scenes of images, in MiB. A scene holds the proposals and features of
            one image.
        scene_folder, scene_folder_mb: a folder that keeps scenes over restarts, and its largest size in
            MiB. Without a folder scenes are kept in memory alone.
        describer_url, describer_model, describer_key: the model that describes images for LGD. Without them
            it is the preset's own. A model without a URL is a folder or a downloaded name of transformers.
            With a URL it is a model of an endpoint with OpenAI's chat completions, e.g.
            http://localhost:8000/v1; the key is sent to that endpoint.
        vlm_url, vlm_model, vlm_key: a vision-language model on a server with OpenAI's chat completions, such
            as vLLM or Ollama: the address up to and including the version, e.g. http://localhost:8000/v1,
            the model's name there, and a key that is sent to that server. It describes images for LGD, unless
            a describer is named. After `ris models probe` it is also asked where things are: see the method
            `grounder`.
        vlm_timeout_s: the longest time for one question to that model, with its retries, in seconds.
        vlm_max_calls, vlm_max_calls_per_hour: the largest number of requests to that model for one expression
            of an image, and within an hour, retries included. They are counted in each process. Where none
            is left, the methods that ask it are skipped. Cached answers cost none.
        verifier_margin: that model is also asked which of the best masks is meant, where the best one's
            probability exceeds that of the next one by less than this. 0 never asks. See the method
            `verifier`.
        no_referent_prechosen_from: where that model says that there is no such thing, the answer "object not
            in image" is offered. From this chance on it is chosen in advance. Without a value it never is.
            It holds for tasks that are answered from then on.
        sync_interval_s: the time between two reads of Label Studio's annotations, in seconds. They are read
            when there is a key; 0 never reads them.
        basic_auth_user, basic_auth_password: the user and password that Label Studio must send to every
            route except the health check. Without a password every request is answered.
        allow_anonymous: lets the server listen on an address other than loopback without a password.
        allowed_hosts: further hosts under which the server is called, as names or IP addresses separated by
            commas: those of a reverse proxy, for example. Requests with another header Host are refused. The
            loopback names, the host of `RIS_HOST` and that of `RIS_PUBLIC_URL` are always allowed, and, if
            other machines can reach the server, all IP addresses and all names without a dot. * allows every
            host.
        log_level: the least severe messages that are logged. INFO logs one line per request and no bodies.
        log_format: "json" writes one JSON object per line, with the id of the request; "text" is for
            people.
    """

    model_config = SettingsConfigDict(
        env_prefix="RIS_", env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True
    )

    host: str = "127.0.0.1"
    port: int = Field(default=9090, ge=1, le=65535)
    public_url: str | None = None
    database_url: str = Field(default="sqlite:///ris.db", repr=False)
    preset: str = "tiny"
    presets_file: Path | None = None
    models_folder: Path = Path("~/.cache/ris/models")
    device: str = Field(default="cpu", pattern=r"^(cpu|mps|cuda(:\d+)?)$")
    precision: Literal["fp32", "bf16", "auto"] = "fp32"
    alternatives: int = Field(default=3, ge=1, le=9)
    shuffled_share: float = Field(default=0.0, ge=0, le=1)
    deadline_s: float = Field(default=60.0, gt=0, le=95)
    label_studio_url: str = "http://localhost:8080"
    label_studio_api_key: SecretStr | None = None
    label_studio_public_url: str | None = None
    image_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    max_image_bytes: int = Field(default=64 * 2**20, gt=0)
    max_image_pixels: int = Field(default=64_000_000, gt=0)
    scene_cache_mb: int = Field(default=512, ge=0)
    scene_folder: Path | None = None
    scene_folder_mb: int = Field(default=4096, ge=0)
    describer_url: str | None = None
    describer_model: str | None = None
    describer_key: SecretStr | None = None
    vlm_url: str | None = None
    vlm_model: str | None = None
    vlm_key: SecretStr | None = None
    vlm_timeout_s: float = Field(default=30.0, gt=0, le=600)
    vlm_max_calls: int = Field(default=8, ge=1)
    vlm_max_calls_per_hour: int = Field(default=3600, ge=1)
    verifier_margin: float = Field(default=0.3, ge=0, le=1)
    no_referent_prechosen_from: float | None = Field(default=None, ge=0, le=1)
    sync_interval_s: float = Field(default=600.0, ge=0)
    basic_auth_user: str = ""
    basic_auth_password: SecretStr | None = None
    allow_anonymous: bool = False
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "text"] = "json"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the server: every address of the host is a loopback address."""
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return False
        addresses = [ipaddress.ip_address(str(place[0]).partition("%")[0]) for *_, place in found]
        return all((getattr(one, "ipv4_mapped", None) or one).is_loopback for one in addresses)

    @property
    def login(self) -> tuple[str, str] | None:
        """The user and the password that a caller must send; None without a password."""
        if self.basic_auth_password is None:
            return None
        return self.basic_auth_user, self.basic_auth_password.get_secret_value()

    @property
    def own_url(self) -> str:
        """The backend's address as Label Studio reaches it: `public_url`, or else host and port."""
        return self.public_url or f"http://{format_host_port(self.host, self.port)}"

    @model_validator(mode="before")
    @classmethod
    def _drop_blank_values(cls, values: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in values.items() if not _is_blank(value)}

    @field_validator("host")
    @classmethod
    def _strip_brackets(cls, host: str) -> str:
        return host.strip("[]")

    @field_validator("image_hosts", "allowed_hosts", mode="before")
    @classmethod
    def _split_hosts(cls, hosts: Any) -> Any:
        return (
            [part.strip() for part in hosts.split(",") if part.strip()] if isinstance(hosts, str) else hosts
        )

    @field_validator("label_studio_url", "label_studio_public_url", "public_url")
    @classmethod
    def _check_site_url(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = _split_http_url(url)
        if parts.username is not None or parts.password is not None:
            # httpx would send them in place of the API key, and browsers and logs would see them.
            raise ValueError("must have no user and no password")
        if parts.query or parts.fragment:
            raise ValueError("must end with its path, without ? and #")
        return url.rstrip("/")

    @field_validator("describer_url", "vlm_url")
    @classmethod
    def _check_endpoint_url(cls, url: str | None) -> str | None:
        if url is not None:
            _split_http_url(url)
        return url


def _split_http_url(url: str) -> SplitResult:
    """Split an address; a ValueError says what is wrong with it."""
    if not url.startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError("must be an address such as http://host:8080, with a port up to 65535") from error
    host = parts.hostname or ""
    if not host or port == 0 or not _HOST.fullmatch(host):
        raise ValueError("must name a host, such as http://host:8080")
    return parts


def _is_blank(value: object) -> bool:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    return isinstance(text, str) and not text.strip()


def check_listening(settings: Settings) -> None:
    """Check that the server may listen: other machines reach it only with a password, or if that is meant.

    Raises:
        SettingsError: other machines could call it without a password.
    """
    if settings.login is None and not settings.allow_anonymous and not settings.is_loopback:
        raise SettingsError(
            f"RIS_HOST is {settings.host}, which other machines can reach, and there is no password: set "
            "RIS_BASIC_AUTH_USER and RIS_BASIC_AUTH_PASSWORD, or "
            "RIS_ALLOW_ANONYMOUS=true to allow access without a password"
        )


def format_host_port(host: str, port: int) -> str:
    """Join host and port as in a URL, with an IPv6 host in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def read_settings(**options: object) -> Settings:
    """Read the settings of this process from the environment and `.env`.

    Args:
        options: win over the environment, which wins over `.env`. None is no option.

    Raises:
        SettingsError: a value is not allowed; the message names the variable.
    """
    try:
        return Settings(**{name: value for name, value in options.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        value = str(first["input"])
        # Without a scheme the address cannot be read, nor the place of its password.
        got = "an address with a password" if "@" in value else shorten_message(repr(value))
        raise SettingsError(f"RIS_{name}: {first['msg']}, got {got}") from error

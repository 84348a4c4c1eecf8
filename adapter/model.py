"""Our service behind the label-studio-ml 2.x SDK: `label-studio-ml start adapter`, with the same settings.

The SDK says a project's number and not when it was made, so its key is read from Label Studio, which needs
RIS_LABEL_STUDIO_API_KEY. It trains on answers to single tasks alone; here `process_event` writes every event
down, and what the SDK drops `ris sync` fetches.
"""

from functools import cache, lru_cache
from typing import Any

try:
    from label_studio_ml.model import LabelStudioMLBase
except ImportError as error:
    raise ImportError(
        "the label-studio-ml 2.x SDK is not installed (it is on git only: pip install "
        "git+https://github.com/HumanSignal/label-studio-ml-backend.git); `ris serve` does without it"
    ) from error

from ris import assembly, config, wsgi
from ris.labelstudio.api.sync import read_project
from ris.web import handlers
from ris.web.handlers import Services


@cache
def get_services() -> Services:
    """One service a process: the SDK makes a model for every request."""
    settings = config.read_settings()
    return wsgi.make_services(assembly.assemble(settings), settings)


@lru_cache(maxsize=1000)
def find_project_key(number: int) -> str:
    """ "<id>.<created_at>", as Label Studio's own requests and webhooks say it."""
    return read_project(assembly.make_label_studio_client(config.read_settings()), number).key


class ReferringSegmentation(LabelStudioMLBase):  # type: ignore[misc]  # the SDK is not typed
    """Ranked masks for referring expressions, by the SDK's rules."""

    def setup(self) -> None:
        """Say which version suggestions have now."""
        self.set("model_version", get_services().suggesting.version)

    def predict(
        self, tasks: list[dict[str, Any]], context: dict[str, Any] | None = None, **_: Any
    ) -> list[Any]:
        """One entry a task: a list of predictions, or for a click one prediction."""
        body = {
            "tasks": tasks,
            "project": find_project_key(int(self.project_id)),
            "label_config": self.label_config,
            "params": {"context": context},
        }
        return handlers.predict(get_services(), body, by_label_studio=True).results

    def process_event(self, event: str, data: dict[str, Any], job_id: Any, additional_params: Any) -> None:
        """Write every event down, those too that the SDK would not train on."""
        handlers.record_event(get_services(), {**data, "action": event})

    def fit(self, event: str, data: dict[str, Any], **_: Any) -> None:
        """As `process_event`: for those who call it themselves."""
        handlers.record_event(get_services(), {**data, "action": event})

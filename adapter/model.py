"""Our service behind the label-studio-ml 2.x SDK: `label-studio-ml start adapter`, with the same settings.

The SDK gives a project's number but not the time of its creation, so the project's key is read from Label
Studio, which needs RIS_LABEL_STUDIO_API_KEY. The SDK calls `fit` for answers to single tasks only; here
`process_event` records every event, and `ris sync` fetches what the SDK drops.
"""

from functools import cache, lru_cache
from typing import Any

try:
    from label_studio_ml.model import LabelStudioMLBase
except ImportError as error:
    raise ImportError(
        "the label-studio-ml 2.x SDK is not installed (it is on git only: pip install "
        "git+https://github.com/HumanSignal/label-studio-ml-backend.git); `ris serve` does not need it"
    ) from error

from ris import assembly, config, wsgi
from ris.labelstudio.api.sync import read_project
from ris.web import handlers
from ris.web.handlers import Services


@cache
def get_services() -> Services:
    """Build the services once per process: the SDK makes a model for every request."""
    settings = config.read_settings()
    return wsgi.make_services(assembly.assemble(settings), settings)


@lru_cache(maxsize=1000)
def find_project_key(number: int) -> str:
    """Read a project's key, "<id>.<created_at>", as Label Studio's own requests and webhooks send it."""
    return read_project(assembly.make_label_studio_client(config.read_settings()), number).key


class ReferringSegmentation(LabelStudioMLBase):  # type: ignore[misc]  # the SDK is not typed
    """Ranked masks for referring expressions, as a model of the SDK."""

    def setup(self) -> None:
        """Set the model version of the suggestions."""
        self.set("model_version", get_services().suggesting.version)

    def predict(
        self, tasks: list[dict[str, Any]], context: dict[str, Any] | None = None, **_: Any
    ) -> list[Any]:
        """Return one entry per task: a list of predictions, or for a click one prediction."""
        body = {
            "tasks": tasks,
            "project": find_project_key(int(self.project_id)),
            "label_config": self.label_config,
            "params": {"context": context},
        }
        return handlers.predict(get_services(), body, by_label_studio=True).results

    def process_event(self, event: str, data: dict[str, Any], job_id: Any, additional_params: Any) -> None:
        """Record an event, also one for which the SDK would not call `fit`."""
        handlers.record_event(get_services(), {**data, "action": event})

    def fit(self, event: str, data: dict[str, Any], **_: Any) -> None:
        """Record an event, as `process_event` does, for callers of `fit`."""
        handlers.record_event(get_services(), {**data, "action": event})

"""The metrics at `/metrics`, in Prometheus' text format. Each app has its own registry."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ris.referring.grounding.usage import VlmUsage
from ris.service import SuggestionService
from ris.store.deliveries import count_deliveries
from ris.store.inbox import count_unfinished_events


class Metrics:
    """The counters of one app, and the gauges that are read at each request of `/metrics`."""

    def __init__(self, suggesting: SuggestionService, vlm_usage: VlmUsage) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "ris_requests", "Requests by route and status", ["route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "ris_request_seconds", "Seconds to answer, by route", ["route"], registry=self.registry
        )
        self.tasks = Counter(
            "ris_tasks", "Tasks answered, with alternatives or empty", ["outcome"], registry=self.registry
        )
        self.empty = Counter(
            "ris_empty_results", "Tasks answered empty, by cause", ["cause"], registry=self.registry
        )
        self.events = Counter("ris_events", "Webhooks stored, by action", ["action"], registry=self.registry)
        self.registry.register(_StateCollector(suggesting))
        self.registry.register(_VlmCollector(vlm_usage))


class _VlmCollector(Collector):
    """Reads what the vision-language model cost since the start."""

    def __init__(self, usage: VlmUsage) -> None:
        self.usage = usage

    def collect(self) -> Iterator[Metric]:
        """Yield the counters with their present values."""
        for name, text, label, counts in (
            ("calls", "Questions to the vision-language model, by outcome", "outcome", self.usage.calls),
            ("tokens", "Tokens of the vision-language model, by direction", "direction", self.usage.tokens),
            ("lookups", "Lookups of cached answers, by outcome", "outcome", self.usage.lookups),
        ):
            family = CounterMetricFamily(f"ris_vlm_{name}", text, labels=[label])
            for value, number in counts.items():
                family.add_metric([value], number)
            yield family
        yield CounterMetricFamily(
            "ris_vlm_seconds", "Seconds spent on questions to the vision-language model", self.usage.seconds
        )


class _StateCollector(Collector):
    """Reads the queues, the scene cache and the inbox at the moment of the request."""

    def __init__(self, suggesting: SuggestionService) -> None:
        self.suggesting = suggesting

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges with their present values."""
        worker = self.suggesting.worker
        yield GaugeMetricFamily("ris_tasks_waiting", "Tasks in progress", self.suggesting.n_waiting)
        yield GaugeMetricFamily("ris_jobs_waiting", "Jobs waiting for the networks", worker.n_waiting)
        yield GaugeMetricFamily(
            "ris_models_ready", "1 when the networks are loaded", worker.get_state().is_ready
        )
        cache = worker.cache
        yield GaugeMetricFamily("ris_scenes", "Scenes in memory", len(cache))
        yield GaugeMetricFamily("ris_scene_bytes", "Bytes of the scenes in memory", cache.n_bytes)
        lookups = CounterMetricFamily(
            "ris_scene_lookups", "Lookups of scenes, by outcome", labels=["outcome"]
        )
        lookups.add_metric(["hit"], cache.n_hits)
        lookups.add_metric(["miss"], cache.n_misses)
        yield lookups
        with self.suggesting.database.begin() as session:
            owed = count_deliveries(session)
        yield GaugeMetricFamily("ris_deliveries_owed", "Tasks still to be written into Label Studio", owed)
        help_text = "Events that are new or failed, by state"
        states = GaugeMetricFamily("ris_inbox_events", help_text, labels=["state"])
        with self.suggesting.database.begin() as session:
            counted = count_unfinished_events(session)
        for state, number in counted.items():
            states.add_metric([state], number)
        yield states

"""What `/metrics` shows, in Prometheus' text format. One registry an app, so that tests do not share."""

from prometheus_client import CollectorRegistry, Counter, Histogram


class Metrics:
    """Counters of one app."""

    def __init__(self) -> None:
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
        self.events = Counter(
            "ris_events", "Webhooks written down, by action", ["action"], registry=self.registry
        )

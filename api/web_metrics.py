"""Metrics of ``warnloop serve``: every one there is, with what it means."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from api.metrics import SECONDS


class WebMetrics:
    """All metrics of one application."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter(
            "warnloop_http_requests", "Answers given.", ["method", "route", "status"], registry=registry
        )
        self.request_seconds = Histogram(
            "warnloop_http_request_seconds",
            "From a request to the first byte of its answer.",
            ["route"],
            buckets=SECONDS,
            registry=registry,
        )
        self.streams = Gauge("warnloop_streams", "Clients of the live stream.", registry=registry)
        self.stream_events = Counter("warnloop_stream_events", "Events told on streams.", ["event"], registry=registry)
        self.streams_dropped = Counter(
            "warnloop_streams_dropped", "Streams ended because their client did not read.", registry=registry
        )
        self.feed_number = Gauge("warnloop_feed_number", "Last number of the feed that was seen.", registry=registry)

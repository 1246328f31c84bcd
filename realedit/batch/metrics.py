"""Counts and times as Prometheus text on this machine's loopback."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from realedit.batch.events import Happening
from realedit.errors import UsageError

RESULTS = ("done", "copied", "skipped", "failed", "quarantined")


class Metrics:
    """A `Show` that keeps figures and serves them at http://127.0.0.1:PORT/metrics."""

    def __init__(self, port: int) -> None:
        """port 0: any free one. Raises UsageError for a port that is taken."""
        registry = CollectorRegistry()
        self._photos = Counter("realedit_photos", "Photos by result.", ["result"], registry=registry)
        for result in RESULTS:
            self._photos.labels(result)
        self._retries = Counter("realedit_retries", "Attempts after a failed one.", registry=registry)
        self._queued = Gauge("realedit_queued", "Photos that wait for a worker.", registry=registry)
        self._running = Gauge("realedit_running", "Photos in work.", registry=registry)
        self._waiting = Gauge("realedit_waiting", "Files that are not at rest yet.", registry=registry)
        self._paused = Gauge("realedit_paused", "1 while the output cannot be written.", registry=registry)
        self._stages = Histogram(
            "realedit_stage_seconds",
            "Seconds per photo and stage.",
            ["stage"],
            buckets=(0.1, 0.3, 1, 3, 10, 30, 100, 300),
            registry=registry,
        )
        try:
            self._server, self._thread = start_http_server(port, addr="127.0.0.1", registry=registry)
        except OSError as error:
            raise UsageError(
                f"port {port} cannot be served ({error.strerror}); choose another --metrics-port"
            ) from error
        self.port = self._server.server_port

    def __call__(self, happening: Happening) -> None:
        """Count what happened."""
        if happening.kind in RESULTS:
            self._photos.labels(happening.kind).inc()
        if happening.kind == "retry":
            self._retries.inc()
        if happening.kind in ("paused", "resumed"):
            self._paused.set(happening.kind == "paused")
        for stage, seconds in happening.data.get("timings", {}).items():
            self._stages.labels(stage).observe(seconds)
        counts = happening.counts
        self._queued.set(counts.queued)
        self._running.set(counts.running)
        self._waiting.set(counts.waiting)

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

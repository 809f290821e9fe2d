"""The metrics. docs/metrics.md describes each and when to act.

One object per process, passed as an argument: nothing is registered globally, so that two apps in one test
process do not share metrics. Processes that serve one port together store their metrics in a shared
directory, so that each of them can render those of all.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter as Tallied
from collections.abc import Callable, Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = CONTENT_TYPE_LATEST
#: The variable of the shared directory; prometheus-client reads it at its first import, in each process.
SHARED = "PROMETHEUS_MULTIPROC_DIR"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000)


class Timings(Histogram):
    """A histogram that observes many amounts at once, at a tenth of the cost of single calls."""

    def observe_all(self, amounts: Sequence[float]) -> None:
        """Observe each amount, as `observe` does."""
        places = Tallied(bisect_left(self._upper_bounds, amount) for amount in amounts)
        for place, count in places.items():
            self._buckets[place].inc(count)
        self._sum.inc(sum(amounts))


class Metrics:
    """Every metric of the adapter; all names start with `adapter_`.

    `shared` is the directory in SHARED at the start of this process, where several serve together.

    An update of a metric costs as much as the evaluation of a rule, so code on the hot path counts in memory
    and adds its counts in a callback, which `flush` calls before each read and every second.
    """

    def __init__(self, shared: Path | None = None) -> None:
        self._shared = shared
        self._flushes: list[Callable[[], None]] = []
        registry = self.registry = CollectorRegistry()
        self._count_requests(registry)
        self._count_messages(registry)
        self._count_deliveries(registry)
        self._count_background_work(registry)

    def _count_requests(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "adapter_requests", "Requests answered", ["endpoint", "status"], registry=registry
        )
        self.request_seconds = Timings(
            "adapter_request_seconds",
            "From the request's head to its answer",
            ["endpoint"],
            buckets=_SECONDS,
            registry=registry,
        )

    def _count_messages(self, registry: CollectorRegistry) -> None:
        self.messages = Counter(
            "adapter_messages", "Messages taken, by what became of them", ["source", "outcome"],
            registry=registry,
        )  # fmt: skip
        self.journal_left_out = Counter(
            "adapter_journal_left_out", "Messages not recorded in the journal, because too many waited",
            registry=registry,
        )  # fmt: skip
        self.misfits = Counter(
            "adapter_misfits", "Values kept though they do not fit the data model",
            ["source", "event", "property"], registry=registry,
        )  # fmt: skip
        self.placeholders = Counter(
            "adapter_placeholders", "Ids left out because they are placeholders", ["source", "field"],
            registry=registry,
        )  # fmt: skip
        self.discounts_issued = Counter(
            "adapter_discounts_issued", "Discounts issued", ["rule"], registry=registry
        )
        self.decisions = Counter("adapter_decisions", "Events about which rules decided", registry=registry)
        self.rule_outcomes = Counter(
            "adapter_rule_outcomes", "What became of discounts for which a rule's conditions held",
            ["rule", "outcome"], registry=registry,
        )  # fmt: skip
        self.signatures = Counter(
            "adapter_segment_signatures",
            "Signatures of Segment's webhooks that verified, by body and by what of it they cover",
            ["body", "form"],
            registry=registry,
        )
        self.commit_messages = Histogram(
            "adapter_commit_messages", "Messages in one commit", buckets=_SIZES, registry=registry
        )
        self.commit_seconds = Histogram(
            "adapter_commit_seconds", "One commit, from load to fsync", buckets=_SECONDS, registry=registry
        )
        self.waiting = Gauge(
            "adapter_waiting_messages", "Messages that wait for a commit", registry=registry,
            multiprocess_mode="livesum",
        )  # fmt: skip

    def _count_deliveries(self, registry: CollectorRegistry) -> None:
        self.deliveries = Counter(
            "adapter_deliveries", "Attempts to deliver, by what came of them", ["destination", "outcome"],
            registry=registry,
        )  # fmt: skip
        self.held_back = Counter(
            "adapter_deliveries_held_back", "Events that a destination does not receive",
            ["destination", "reason"], registry=registry,
        )  # fmt: skip
        self.delivery_seconds = Histogram(
            "adapter_delivery_seconds", "One attempt to deliver", ["destination"],
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self.forwarded = Counter(
            "adapter_forwarded", "Customers and events that were put into the outbox", ["destination"],
            registry=registry,
        )  # fmt: skip
        self.retry_after_cut = Counter(
            "adapter_retry_after_cut", "Attempts whose receiver asked for a pause of more than 24 hours",
            ["destination"], registry=registry,
        )  # fmt: skip
        self.unordered_customers = Gauge(
            "adapter_unordered_customers", "Customers with so many deliveries that their order is given up",
            ["destination"], registry=registry, multiprocess_mode="livemax",
        )  # fmt: skip
        self.deliveries_due = _of_the_store("adapter_deliveries_due", "Deliveries that wait", registry)
        self.oldest_delivery = _of_the_store(
            "adapter_oldest_delivery_seconds", "Age of the oldest delivery that waits", registry
        )
        self.deliveries_dead = _of_the_store("adapter_deliveries_dead", "Deliveries given up", registry)
        self.destinations_at_rest = _of_the_store(
            "adapter_destinations_at_rest", "Destinations to which nothing is sent now", registry
        )

    def _count_background_work(self, registry: CollectorRegistry) -> None:
        self.quarantined = _of_the_store("adapter_quarantined_messages", "Messages in quarantine", registry)
        self.core_answers = Counter(
            "adapter_core_answers", "Answers of the remote core to operations", ["timing"], registry=registry
        )
        self.timers = Counter(
            "adapter_timers",
            "Timers of absence rules, by what became of them",
            ["outcome"],
            registry=registry,
        )
        self.pool_codes = _of_the_store(
            "adapter_pool_codes_left", "Codes left in a pool that rules name", registry, ["pool"]
        )
        self.schedule_customers = Counter(
            "adapter_schedule_customers",
            "Customers that schedules read, and customers for which a rule fired",
            ["outcome"],
            registry=registry,
        )
        self.schedule_occurrences = Counter(
            "adapter_schedule_occurrences",
            "Occurrences of scheduled rules, by what became of them",
            ["outcome"],
            registry=registry,
        )
        self.schedule_lag = _of_the_store(
            "adapter_schedule_lag_seconds", "How long the oldest occurrence is due", registry
        )
        self.timers_waiting = _of_the_store("adapter_timers_waiting", "Timers that wait", registry)
        self.reloads = Counter(
            "adapter_reloads", "Times that mapping and rule files were read", ["outcome"], registry=registry
        )
        self.import_rows = Counter(
            "adapter_import_rows", "Rows of imports, by what became of them", ["kind", "outcome"],
            registry=registry,
        )  # fmt: skip

    def note_development(self, destination: str) -> None:
        """Count an event of development traffic that a destination does not receive."""
        self.held_back.labels(destination, "development").inc()

    def register_flush(self, flush: Callable[[], None]) -> None:
        """Register a callback that updates its metrics."""
        self._flushes.append(flush)

    def flush(self) -> None:
        """Update all metrics of this process."""
        for flush in self._flushes:
            flush()

    def render(self) -> bytes:
        """Return the metrics of all processes in Prometheus' text format."""
        self.flush()
        if self._shared is None:
            return generate_latest(self.registry)
        together = CollectorRegistry()
        MultiProcessCollector(together, str(self._shared))  # type: ignore[no-untyped-call]
        return generate_latest(together)


def _of_the_store(
    name: str, described: str, registry: CollectorRegistry, labels: Sequence[str] = ()
) -> Gauge:
    """Return a gauge of a value in the store: of several processes the latest value counts."""
    return Gauge(name, described, labels, registry=registry, multiprocess_mode="livemostrecent")

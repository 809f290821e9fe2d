"""Count the outcomes of messages for the metrics and the log."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from adapter.datamodel.misfits import subject
from adapter.logs import RateLimitedWarning
from adapter.metrics import Metrics
from adapter.model.operations import CustomerUpsert, EventOccurred
from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Work
from adapter.services.loaded_files import LoadedFiles
from adapter.sources.decoded_body import Decoded

_log = logging.getLogger(__name__)

#: Operations that are coerced to the data model.
_COERCED = (EventOccurred, CustomerUpsert)


class OutcomeCounts:
    """Counts in memory; the metrics get the sums when they are flushed."""

    def __init__(self, files: LoadedFiles, metrics: Metrics, clock: Callable[[], datetime]) -> None:
        self._files = files
        self._metrics = metrics
        self._kept = RateLimitedWarning(_log, "messages were quarantined; see GET /v1/quarantine", clock)
        self._outcomes: Counter[tuple[str, str]] = Counter()
        metrics.register_flush(self._flush)

    def flag(self, works: Sequence[Work], results: Sequence[Result]) -> None:
        """Add violations of the data model to the results, and count them."""
        for work, result in zip(works, results, strict=True):
            for operation in work.operations:
                if isinstance(operation, _COERCED) and operation.misfits:
                    result.misfits = list(dict.fromkeys((*result.misfits, *operation.misfits)))
                    self._count_misfits(work.source, operation)

    def _count_misfits(self, source: str, operation: EventOccurred | CustomerUpsert) -> None:
        """Count them by declared names alone: senders may make up any number of others."""
        event = operation.event.name if isinstance(operation, EventOccurred) else ""
        model = self._files.mappings.model
        label = event if model is not None and event in model.events else ""
        for misfit in operation.misfits:
            self._metrics.misfits.labels(source, label, subject(misfit, event)).inc()

    def count(self, decoded: Decoded, results: Sequence[Result]) -> None:
        """Count the results of a body's messages, the quarantined ones last."""
        only = results[0] if len(results) == len(decoded.messages) == 1 else None
        if only is not None and only.outcome == "processed" and not only.discounts and not decoded.dropped:
            self._outcomes[decoded.messages[0].source, "processed"] += 1
            return
        sources = [item.source for item in decoded.messages] + [item.source for item in decoded.quarantined]
        outcomes: Counter[tuple[str, str]] = Counter(
            (source, result.outcome) for source, result in zip(sources, results, strict=True)
        )
        if decoded.dropped:
            outcomes[decoded.source, "dropped"] = decoded.dropped
        self._outcomes.update(outcomes)
        for (source, outcome), count in outcomes.items():
            if outcome == "quarantined":
                self._kept.note(count, source=source)

    def _flush(self) -> None:
        outcomes, self._outcomes = self._outcomes, Counter()
        for (source, outcome), count in outcomes.items():
            self._metrics.messages.labels(source, outcome).inc(count)
        met = self._files.mappings.placeholders.met
        while met:
            (source, field), count = met.popitem()
            self._metrics.placeholders.labels(source, field).inc(count)

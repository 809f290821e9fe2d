"""What arrived in the last hour, beside what Segment says that it delivered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec
from msgspec import Struct

from adapter.cli.diagnosis.finding import Finding, ok, skipped, warning
from adapter.cli.diagnosis.probes import PREFIX
from adapter.model.journal import JournalEntry
from adapter.model.sources import SEGMENT
from adapter.model.times import parse_timestamp

HOUR = timedelta(hours=1)
#: Segment's counts come some minutes late, so a few percent more or fewer say nothing.
_SHARE, _FEW = 0.05, 20
_LOST = {"quarantined", "refused"}
_UNDELIVERED = ("discard", "expir", "fail")
_BEHIND, _DELAYED = -5.0, 300.0


class ArrivalCounts(Struct):
    """The messages of a span by source and outcome, without those of the doctor.

    `quickest` are the fewest seconds from when Segment received a message to when it arrived here. `cut` says
    that there were more than were read.
    """

    counts: Counter[tuple[str, str]]
    quickest: float | None = None
    cut: bool = False

    def add(self, entries: Iterable[JournalEntry]) -> None:
        """Count entries of the journal."""
        for entry in entries:
            if entry.message_id.startswith(PREFIX):
                continue
            self.counts[entry.source, entry.outcome] += 1
            if entry.source == SEGMENT.name and not entry.replayed:
                self._note(_delay(entry))

    def _note(self, delay: float | None) -> None:
        if delay is not None and (self.quickest is None or delay < self.quickest):
            self.quickest = delay

    def of(self, source: str) -> int:
        """Return how many messages of a source arrived."""
        return sum(count for (name, _), count in self.counts.items() if name == source)


def _delay(entry: JournalEntry) -> float | None:
    """Return the seconds that a message needed from Segment to here; None where it does not say."""
    document = msgspec.json.decode(entry.document)
    given = document.get("receivedAt") if isinstance(document, dict) else None
    at = parse_timestamp(given) if isinstance(given, str) else None
    return None if at is None else (entry.received_at - at).total_seconds()


def last_hour(found: ArrivalCounts | None, why: str = "") -> Iterator[Finding]:
    """Yield what arrived; None where the journal could not be read, and `why`."""
    check = "last hour"
    if found is None:
        yield skipped(check, why)
        return
    total, lost = sum(found.counts.values()), sum(
        count for (_, outcome), count in found.counts.items() if outcome in _LOST
    )  # fmt: skip
    told = "; ".join(_told(source, found.counts) for source in sorted({name for name, _ in found.counts}))
    more = " (and more: only a part was read)" if found.cut else ""
    if not total:
        yield warning(check, "no message arrived", "see that the destination is enabled at Segment or "
                      "mParticle, and names this address; `adapter send` tries it")  # fmt: skip
    elif lost:
        yield warning(check, told + more, "see `adapter tail --since 1h --outcome quarantined --outcome "
                      "refused` for the reasons")  # fmt: skip
    else:
        yield ok(check, told + more)


def _told(source: str, counts: Mapping[tuple[str, str], int]) -> str:
    each = [f"{count} {outcome}" for (name, outcome), count in sorted(counts.items()) if name == source]
    return f"{source}: {', '.join(each)}"


def sender_clock(found: ArrivalCounts | None) -> Iterator[Finding]:
    """Yield how our clock differs from Segment's, which receives a message before it arrives here."""
    if found is None or found.quickest is None:
        return
    quickest, check = found.quickest, "clock beside Segment's"
    if quickest < _BEHIND:
        yield warning(check, f"messages arrive up to {-quickest:.0f} s before Segment received them",
                      "let the server use NTP: its clock is behind")  # fmt: skip
    elif quickest > _DELAYED:
        yield warning(check, f"the quickest message needed {quickest:.0f} s from Segment",
                      "let the server use NTP, or see Segment's event delivery for retries")  # fmt: skip
    else:
        yield ok(check, f"the quickest message needed {max(quickest, 0):.1f} s from Segment")


def delivered(metrics: Sequence[Mapping[str, Any]], found: ArrivalCounts | None) -> Iterator[Finding]:
    """Yield Segment's own counts of the last hour (metrics of its Public API) beside ours.

    Names of metrics are not published as a list: those that begin with `success` are deliveries, and all are
    shown.
    """
    check = "Segment's deliveries"
    totals = {str(each.get("metricName")): int(each.get("total") or 0) for each in metrics}
    told = ", ".join(f"{count} {name}" for name, count in totals.items()) or "no delivery"
    theirs = [count for name, count in totals.items() if name.lower().startswith("success")]
    if found is None or found.cut or not theirs:
        yield ok(check, f"Segment counts {told}")
        return
    ours, sent = found.of(SEGMENT.name), sum(theirs)
    detail = f"Segment counts {told}; {ours} arrived here"
    if sent - ours > max(sent * _SHARE, _FEW):
        yield warning(check, detail, "see whether the destination has another URL that succeeds, and whether "
                      "all processes write the same store")  # fmt: skip
    else:
        yield from _failures(check, detail, totals, sent)


def _failures(check: str, detail: str, totals: Mapping[str, int], sent: int) -> Iterator[Finding]:
    lost = sum(count for name, count in totals.items() if name.lower().startswith(_UNDELIVERED))
    if lost > max((sent + lost) * _SHARE, _FEW):
        yield warning(check, detail, "see the reasons in Event Delivery of that destination at Segment")
    else:
        yield ok(check, detail)

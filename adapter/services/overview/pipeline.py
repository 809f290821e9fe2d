"""The pipeline in figures: stages with what leaves it beside them, series for plots, percentiles. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from adapter.model.activity import (
    BOUNDS,
    DECIDED,
    DELIVERIES,
    ISSUED,
    MESSAGES,
    REQUEST_SECONDS,
    REQUESTS,
    WITHHELD,
    ActivityCount,
    sums,
)


class Frequency(Struct, frozen=True):
    """How often something happened in the last hour, the last day, and the day before that."""

    hour: int
    day: int
    day_before: int

    @property
    def change(self) -> float | None:
        """The change from the day before, 0.1 for 10 % more; None where there is nothing to compare with."""
        return self.day / self.day_before - 1 if self.day_before else None


class PipelineExit(Struct, frozen=True):
    """What leaves the pipeline at a stage; `events` is the filter of the events page that shows it."""

    name: str
    amount: Frequency
    says: str
    events: str = ""


class PipelineStage(Struct, frozen=True):
    """One stage: what came as far as this, and what did not."""

    name: str
    amount: Frequency
    change: float | None
    says: str
    beside: list[PipelineExit]


class PlotLine(Struct, frozen=True):
    """One line of a plot: a value for each moment, None where there is none."""

    label: str
    points: list[float | None]


class Lines(Struct, frozen=True):
    """Lines over the same moments, in seconds since 1970."""

    at: list[int]
    series: list[PlotLine]


_RECEIVED: Final = tuple(MESSAGES.values())
_MAPPED: Final = (MESSAGES["processed"], MESSAGES["duplicate"])
#: The stages, and beside each what leaves there: name, series, what it means, filter of the events page.
_STAGES: Final = (
    ("received", _RECEIVED, "messages that were taken", (
        ("refused", (REQUESTS["refused"],), "requests that were refused: 4xx", "outcome:refused"),
        ("not taken", (REQUESTS["failed"],), "requests that the sender has to repeat: 5xx", ""),
        ("own", (MESSAGES["dropped"],), "our own events, returning from a CDP", ""),
    )),
    ("mapped", _MAPPED, "messages that a mapping took", (
        ("ignored", (MESSAGES["ignored"],), "messages that no mapping takes", "outcome:ignored"),
        ("quarantined", (MESSAGES["quarantined"],), "messages for quarantine", "outcome:quarantined"),
        ("duplicate", (MESSAGES["duplicate"],), "messages that came before", "outcome:duplicate"),
    )),
    ("decided", (DECIDED,), "events about which rules decided", ()),
    ("issued", (ISSUED,), "discounts that rules issued", (
        ("withheld", (WITHHELD,), "discounts that a guardrail withheld", ""),
    )),
    ("pushed", (DELIVERIES["done"],), "deliveries that a destination took", (
        ("retried", (DELIVERIES["retry"],), "attempts that will be repeated", ""),
        ("given up", (DELIVERIES["dead"],), "deliveries that were given up", ""),
    )),
)  # fmt: skip


def stages(
    hour: Mapping[str, int], day: Mapping[str, int], day_before: Mapping[str, int]
) -> list[PipelineStage]:
    """Return the stages, of the sums of each series in three spans of time."""

    def amount(names: Sequence[str]) -> Frequency:
        return Frequency(*(sum(span.get(name, 0) for name in names) for span in (hour, day, day_before)))

    found = []
    for name, series, says, leaving in _STAGES:
        beside = [PipelineExit(each, amount(of), why, events) for each, of, why, events in leaving]
        whole = amount(series)
        found.append(PipelineStage(name, whole, whole.change, says, beside))
    return found


def percentile(counts: Mapping[str, int], share: float, names: Mapping[str, str]) -> float | None:
    """Return the seconds within which a share of what was timed ended; None where nothing was.

    `counts` has the sums of buckets, `names` their series by upper bound. Within a bucket amounts are taken
    for evenly spread; above the last bound it is that bound.
    """
    total = sum(counts.get(names[bound], 0) for bound in BOUNDS)
    if not total:
        return None
    wanted, below, lower = share * total, 0, 0.0
    for bound in BOUNDS[:-1]:
        count, upper = counts.get(names[bound], 0), float(bound)
        if below + count >= wanted and count:
            return lower + (upper - lower) * (wanted - below) / count
        below, lower = below + count, upper
    return lower


def lines(
    counted: Iterable[ActivityCount], since: datetime, until: datetime, step: timedelta
) -> dict[str, Lines]:
    """Return the plots `messages` (a minute, on average) and `seconds` (p50 and p99) by spans of `step`."""
    by_span: dict[datetime, dict[str, int]] = {}
    for each in counted:
        by_span.setdefault(each.at, {})[each.name] = each.amount
    spans = [since + number * step for number in range(-((since - until) // step))]
    rows = [by_span.get(at, {}) for at in spans]
    minutes = step / timedelta(minutes=1)
    at = [int(moment.timestamp()) for moment in spans]

    def line(label: str, names: Sequence[str]) -> PlotLine:
        return PlotLine(label, [round(sum(row.get(name, 0) for name in names) / minutes, 2) for row in rows])

    def speed(label: str, share: float) -> PlotLine:
        found = [percentile(row, share, REQUEST_SECONDS) for row in rows]
        return PlotLine(label, [None if each is None else round(each * 1000, 2) for each in found])

    messages = [
        line("received", _RECEIVED), line("mapped", _MAPPED), line("quarantined", (MESSAGES["quarantined"],)),
        line("ignored", (MESSAGES["ignored"],)),
    ]  # fmt: skip
    discounts = [line("decided", (DECIDED,)), line("issued", (ISSUED,)), line("withheld", (WITHHELD,))]
    return {
        "messages": Lines(at, messages),
        "discounts": Lines(at, discounts),
        "milliseconds": Lines(at, [speed("p50", 0.5), speed("p99", 0.99)]),
    }


def totals(counted: Iterable[ActivityCount], since: datetime, until: datetime) -> dict[str, int]:
    """Return the sum of each series between two moments."""
    return sums(each for each in counted if since <= each.at < until)

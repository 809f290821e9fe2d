"""Reads what happens now: figures of the recorded activity, health, files in force, and what is wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, TypeVar

from msgspec import Struct

from adapter.metrics import Metrics
from adapter.model.activity import BY_MINUTE, COMMIT_SECONDS, REQUEST_SECONDS, REQUESTS, ActivityCount
from adapter.services.health import INFORMATIONAL, Check, Health
from adapter.services.loaded_files import LoadedFiles
from adapter.services.overview.pipeline import Lines, PipelineStage, lines, percentile, stages, totals
from adapter.services.read_timeout import ReadTimeout
from adapter.store.contract import Store

T = TypeVar("T")
#: What is shown in plots: the last hour or the last day, and by which spans.
Window = Literal["hour", "day"]
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_RECENT: Final = timedelta(minutes=5)
_MINUTE: Final = timedelta(minutes=1)
_HALF_HOUR: Final = timedelta(minutes=30)
_WINDOWS: Final = {"hour": (_HOUR, _MINUTE), "day": (_DAY, _HALF_HOUR)}
#: Problems that are shown.
_MOST: Final = 5


class Speed(Struct, frozen=True):
    """The last five minutes: requests a second, and milliseconds within which they and commits ended."""

    requests: float
    p50: float | None
    p99: float | None
    commit_p99: float | None


class QueueStatus(Struct, frozen=True):
    """What waits: messages in this process for their commit, and deliveries of all processes."""

    messages: int
    limit: int
    deliveries: int
    oldest_seconds: float
    dead: int
    quarantined: int


class FilesStatus(Struct, frozen=True):
    """The files in force: their digests and how many they declare. `error` keeps changed ones out."""

    mappings: int
    rules: int
    mappings_digest: str
    rules_digest: str
    error: str


class OpenProblem(Struct, frozen=True):
    """Something that is wrong, with the page that shows more of it."""

    what: str
    says: str
    at: datetime | None
    link: str


class Now(Struct, frozen=True):
    """What happens now."""

    window: Window
    at: datetime
    stages: list[PipelineStage]
    speed: Speed
    queue: QueueStatus
    checks: list[Check]
    files: FilesStatus
    problems: list[OpenProblem]
    plots: dict[str, Lines]


class Overview:
    """Reads it; `patience` bounds each read. Raises Unavailable."""

    def __init__(
        self, store: Store, files: LoadedFiles, health: Health, metrics: Metrics, *,
        most_waiting: int, clock: Callable[[], datetime], patience: ReadTimeout,
    ) -> None:  # fmt: skip
        self._store = store
        self._files = files
        self._health = health
        self._metrics = metrics
        self._most_waiting = most_waiting
        self._clock = clock
        self._patience = patience

    async def now(self, window: Window) -> Now:
        """Return what happens now, with plots of the last hour or day."""
        now = self._clock()
        until = now.replace(second=0, microsecond=0) + _MINUTE
        minutes = await self._activity(until - _HOUR, until, _MINUTE)
        days = await self._activity(until - 2 * _DAY - _HOUR, until, _HALF_HOUR)
        recent = totals(minutes, until - _RECENT, until)
        yesterday = _floored(until - _DAY, _HALF_HOUR)
        figures = stages(
            totals(minutes, until - _HOUR, until),
            totals(days, yesterday, until),
            totals(days, yesterday - _DAY, yesterday),
        )
        checks = await self._health.ready()
        span, step = _WINDOWS[window]
        begin = _floored(until - span, step)
        shown = minutes if window == "hour" else days
        return Now(
            window, now, figures, _speed(recent), self._queue(), checks,
            self._in_force(), await self._problems(now, checks), lines(shown, begin, until, step),
        )  # fmt: skip

    async def _read(self, reading: Awaitable[T]) -> T:
        return await self._patience.read(reading)

    async def _activity(self, since: datetime, until: datetime, step: timedelta) -> list[ActivityCount]:
        return await self._read(self._store.activity(BY_MINUTE, _floored(since, step), until, step))

    def _queue(self) -> QueueStatus:
        value = self._metrics.registry.get_sample_value
        return QueueStatus(
            int(value("adapter_waiting_messages") or 0),
            self._most_waiting,
            int(value("adapter_deliveries_due") or 0),
            value("adapter_oldest_delivery_seconds") or 0.0,
            int(value("adapter_deliveries_dead") or 0),
            int(value("adapter_quarantined_messages") or 0),
        )

    def _in_force(self) -> FilesStatus:
        mappings, rules, check = self._files.mappings, self._files.rules, self._health.files
        return FilesStatus(
            len(mappings.mappings), len(rules.rules), mappings.digest, rules.digest,
            "" if check.ok else check.detail,
        )  # fmt: skip

    async def _problems(self, now: datetime, checks: Sequence[Check]) -> list[OpenProblem]:
        """Return what is wrong, the worst first."""
        found = [
            OpenProblem(f"check `{check.name}`", check.detail, None, "")
            for check in checks
            if not check.ok and check.name not in INFORMATIONAL
        ]
        found += [
            OpenProblem(f"destination `{each.destination}`", each.reason, each.since, "/console/deliveries")
            for each in (await self._read(self._store.breakers()))[:_MOST]
            if each.state(now) != "closed"
        ]
        found += [
            OpenProblem(
                f"destination `{each.destination}` paused", each.reason, each.since, "/console/deliveries"
            )
            for each in (await self._read(self._store.pauses(now)))[:_MOST]
        ]
        for kept in await self._read(self._store.latest_quarantined(limit=_MOST)):
            what = f"quarantined from {kept.source}"
            found.append(OpenProblem(what, kept.reason, kept.received_at, "/console/quarantine"))
        for each in (await self._read(self._store.ignored(_MOST)))[:_MOST]:
            name = f"{each.type} `{each.event}`" if each.event else each.type or "others"
            says = f"no mapping takes {name}: {each.count} since {each.first_at:%Y-%m-%d %H:%M}"
            link = "/console/events?q=outcome:ignored"
            found.append(OpenProblem(f"ignored from {each.source}", says, each.last_at, link))
        return found


def _speed(recent: dict[str, int]) -> Speed:
    requests = sum(recent.get(name, 0) for name in REQUESTS.values())
    return Speed(
        round(requests / _RECENT.total_seconds(), 2),
        _milliseconds(percentile(recent, 0.5, REQUEST_SECONDS)),
        _milliseconds(percentile(recent, 0.99, REQUEST_SECONDS)),
        _milliseconds(percentile(recent, 0.99, COMMIT_SECONDS)),
    )


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)


def _floored(moment: datetime, step: timedelta) -> datetime:
    """Return the beginning of the span of time in which a moment is."""
    epoch = datetime.fromtimestamp(0, moment.tzinfo)
    return epoch + (moment - epoch) // step * step

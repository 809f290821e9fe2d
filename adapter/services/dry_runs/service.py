"""The service of dry runs: a request in, a report out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import count

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from adapter.errors import TooManyOperations, Unreadable
from adapter.mapping.explain.explain import explain
from adapter.model.evaluated import Evaluated
from adapter.model.messages import Message
from adapter.model.quarantine import Quarantined
from adapter.rules.engine.codes import LENGTHENED_BY
from adapter.services.core.evaluate import MOST_OPERATIONS, message_of
from adapter.services.dry_runs.drafts import DraftTexts, with_drafts
from adapter.services.dry_runs.rehearsal import Rehearsed, rehearse
from adapter.services.dry_runs.report import (
    DryRun,
    DryRunResult,
    Masked,
    Wait,
    result_of,
)
from adapter.services.ingest.mapper import Mapper, OperationMapper, Policy, ignored
from adapter.services.ingest.order_bookings import of_orders
from adapter.services.ingest.steps import DecisionContext
from adapter.services.ingest.work_item import Work
from adapter.services.loaded_files import HasSettings, LoadedFiles
from adapter.services.read_timeout import ReadTimeout
from adapter.settings.values import Settings
from adapter.sources import payloads
from adapter.sources.decoded_body import Bounds, Decoded
from adapter.sources.registry import SOURCES, source_of
from adapter.store.contract import Store

_ORDERS = (
    "a real run books the orders in these messages at the checkout, before or after it decides; a dry run "
    "decides without that: ask POST /v1/validations what their codes are worth"
)

#: Years of `now`: what rules reckon from it is within the calendar too.
_YEARS = (1970, 9000)


class DryRunRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `payload` as a CDP sends it, or `operations` as `POST /v1/evaluate` takes them.

    `source` is who sends the payload, by default found by its shape. `now` is when it is decided. `rules` and
    `mappings` are drafts: texts of files by name. `explain` asks where each field came from.
    """

    payload: Raw | UnsetType = UNSET
    source: str | None = None
    operations: Raw | UnsetType = UNSET
    now: datetime | None = None
    rules: dict[str, str] = {}
    mappings: dict[str, str] = {}
    explain: bool = False


class DryRuns:
    """Runs messages through the corridor without storing anything, by the settings that `in_force` has.

    `room` returns the number of timers that may be added, `shares` says which codes everybody may use.
    """

    def __init__(
        self,
        store: Store,
        files: LoadedFiles,
        in_force: HasSettings,
        clock: Callable[[], datetime],
        *,
        room: Callable[[], int],
        shares: Callable[[str], bool],
        patience: ReadTimeout,
    ) -> None:
        self._store = store
        self._files = files
        self._in_force = in_force
        self._clock = clock
        self._room = room
        self._shares = shares
        self._patience = patience

    async def run(self, request: DryRunRequest) -> DryRun:
        """Return what a real run would come to now. Raises Refused for what cannot be run, or Unavailable."""
        settings = self._in_force.settings
        files = await self._with_drafts(settings, request)
        now = self._now(request)
        run = _Run(files, Policy.of(settings), now, explained=request.explain)
        if isinstance(request.operations, Raw):
            run.take_operations(request.operations, Bounds(settings.ingest.max_event_bytes))
        elif isinstance(request.payload, Raw):
            run.take_payload(bytes(request.payload), request.source)
        works = [work for _, work in run.works]
        context = DecisionContext(
            now, _draw(), _ids(), room=self._room(), names=files.mappings.names, secret=self._store.secret
        )
        parts = await self._patience.read(rehearse(self._store, works, files.rules, context))
        return run.report(parts, files, notes=[_ORDERS] if of_orders(works, self._shares) else [])

    async def _with_drafts(self, settings: Settings, request: DryRunRequest) -> LoadedFiles:
        if not request.rules and not request.mappings:
            return LoadedFiles(self._files.mappings, self._files.rules)
        texts = DraftTexts(request.mappings, request.rules)
        # Compiling takes a while for many rules, and other requests go on.
        return await asyncio.to_thread(with_drafts, settings, texts)

    def _now(self, request: DryRunRequest) -> datetime:
        if (request.payload is UNSET) == (request.operations is UNSET):
            raise Unreadable("send either `payload` or `operations`")
        if request.now is None:
            return self._clock()
        if request.now.tzinfo is None:
            raise Unreadable("`now` has no time zone: write 2026-03-01T12:00:00Z")
        if not _YEARS[0] <= request.now.year <= _YEARS[1]:
            raise Unreadable(f"`now` is in none of the years {_YEARS[0]} to {_YEARS[1]}")
        return request.now.astimezone(UTC)


class _Run:
    """The messages of one request, in their order, and what is known of each before anything is decided."""

    def __init__(self, files: LoadedFiles, policy: Policy, now: datetime, *, explained: bool) -> None:
        self._files = files
        self._policy = policy
        self._now = now
        self._explained = explained
        self._results: list[DryRunResult | None] = []
        self._messages: dict[int, Message] = {}
        self._dropped = 0
        self.works: list[tuple[int, Work]] = []

    def take_operations(self, raw: Raw, bounds: Bounds) -> None:
        """Take operations as documents; raises Unreadable and TooManyOperations."""
        items = payloads.decode_items(b'{"operations":' + bytes(raw) + b"}", "operations")["operations"]
        if not isinstance(items, list):
            raise Unreadable('`operations` is not a list: [{"id": ..., "action": ...}]')
        if len(items) > MOST_OPERATIONS:
            raise TooManyOperations(f"there are {len(items)} operations; send at most {MOST_OPERATIONS}")
        taken = [message_of(at, item, self._now, bounds) for at, item in enumerate(items)]
        messages = [each for each in taken if isinstance(each, Message)]
        mapper = OperationMapper(self._files, self._policy, lambda: self._now)
        works = iter(mapper.works(messages))
        for each in taken:
            if isinstance(each, Message):
                self._take(each, next(works))
            else:
                self._results.append(_refused(each))

    def take_payload(self, body: bytes, sender: str | None) -> None:
        """Take a body as a CDP sends it; raises Refused where it cannot be decoded."""
        source = sender or source_of(msgspec.json.decode(body)).name
        if source not in SOURCES:
            raise Unreadable(f"`source` is one of {', '.join(SOURCES)}")
        decoded = SOURCES[source].decode_recorded(body, self._now)
        if len(decoded.messages) + len(decoded.quarantined) > MOST_OPERATIONS:
            raise TooManyOperations(f"the payload has more than {MOST_OPERATIONS} messages; send fewer")
        self._take_decoded(decoded)

    def _take_decoded(self, decoded: Decoded) -> None:
        self._dropped = decoded.dropped
        mapper = Mapper(self._files, self._policy, lambda: self._now)
        for message, work in zip(decoded.messages, mapper.works(decoded.messages), strict=True):
            self._take(message, work)
        for kept in decoded.quarantined:
            self._add(_quarantined(kept))

    def _take(self, message: Message, work: Work | None) -> None:
        if self._explained and message.source in SOURCES:
            self._messages[len(self._results)] = message
        if work is not None:
            self._add(work)
        else:
            missed = ignored(message)
            self._results.append(DryRunResult(missed.message_id, "ignored", missed.reason))

    def _add(self, work: Work) -> None:
        self.works.append((len(self._results), work))
        self._results.append(None)

    def report(
        self, parts: Sequence[tuple[Sequence[Work], Rehearsed]], files: LoadedFiles, notes: list[str]
    ) -> DryRun:
        """Return the report, once everything is decided; `parts` are the works as they were committed."""
        masked = Masked(frozenset(code for _, part in parts for code in part.changes.drawn))
        places = iter(at for at, _ in self.works)
        for works, part in parts:
            for work, result in zip(works, part.results, strict=True):
                self._results[next(places)] = result_of(work, result, part, masked)
        results = [each for each in self._results if each is not None]
        for at, message in self._messages.items():
            results[at].mapping = explain(files.mappings, message)
        armed = [timer for _, part in parts for timer in part.changes.armed]
        waits = [Wait(timer.rule, timer.source_id, timer.due_at) for timer in armed]
        return DryRun(self._now, files.rules.digest, results, waits, self._dropped, notes)


def _quarantined(kept: Quarantined) -> Work:
    return Work(kept.source, kept.key, kept.key, kept.received_at, quarantine=kept)


def _refused(each: Evaluated) -> DryRunResult:
    return DryRunResult(each.id or "", "refused", each.reason, each.error)


def _draw() -> Callable[[int], str]:
    """Return what gives characters that no real code has in such a row.

    Codes that are taken are lengthened, by more each time: those of all transactions of a run differ.
    """
    lengthened = count(1)
    return lambda n: "X" * (n * next(lengthened) if n == LENGTHENED_BY else n)


def _ids() -> Callable[[], str]:
    number = count(1)
    return lambda: f"dry-run-{next(number)}"

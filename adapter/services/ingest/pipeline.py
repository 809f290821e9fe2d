"""Messages in, results out: the corridor from decoded messages to durable decisions."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec import Raw, Struct

from adapter.errors import MappingError
from adapter.logs import RateLimitedWarning
from adapter.metrics import Metrics
from adapter.model.messages import Message
from adapter.model.operations import CustomerErase, CustomerUpsert, DiscountMove, EventOccurred
from adapter.model.quarantine import Quarantined, packed
from adapter.services.ingest.group_commit import GroupCommitter
from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Unrewarded, Work
from adapter.services.loaded_files import LoadedFiles
from adapter.sources.decoded_body import Decoded
from adapter.tasks import unheard

_log = logging.getLogger(__name__)

#: So many messages of one body are settled together.
SLICE = 350
#: What the data model looks at.
_FITTED = (EventOccurred, CustomerUpsert)
#: What a test must not do to what is real.
_REAL = (DiscountMove, CustomerErase)
#: Why an event earns nothing, whatever the rules say.
_REPLAYED = Unrewarded("replayed", "not rewarded: it is a replay of history")
_DEVELOPMENT = Unrewarded(
    "development",
    "not rewarded: it comes from a development environment, and `mparticle.accept_development` is false",
)
_UNDATED = Unrewarded(
    "undated", "not rewarded: its time cannot be read, so it may be older than `ingest.reward_within_hours`"
)
#: So many messages of a part are mapped before others have their turn.
_STRETCH = 50
#: Seconds in which the committer begins with a part, before the next one keeps the loop busy.
_HEAD_START = 0.001


class Policy(Struct, frozen=True):
    """Which events may still earn something.

    An event that happened longer ago than `reward_within` is history, whoever sends it; one from a
    development environment is a test. `message_bytes` is the bound of a message.
    """

    reward_within: timedelta = timedelta(hours=72)
    reward_development: bool = False
    message_bytes: int = 262_144


class Ingest:
    """Maps messages by the files in force, and hands them to the committer."""

    def __init__(
        self,
        books: LoadedFiles,
        committer: GroupCommitter,
        policy: Policy,
        metrics: Metrics,
        clock: Callable[[], datetime],
        *,
        ignored: Callable[[Message], None] = lambda message: None,
    ) -> None:
        self._books = books
        self._ignored = ignored
        self._committer = committer
        self._policy = policy
        self._metrics = metrics
        self._clock = clock
        self._kept = RateLimitedWarning(_log, "messages go to quarantine: see GET /v1/quarantine", clock)
        self._outcomes: Counter[tuple[str, str]] = Counter()
        metrics.keep_up(self._catch_up)

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources that the files in force have mappings of."""
        return self._books.mappings.sources

    @property
    def longest(self) -> int:
        """The longest document that is mapped: a message stands in its own several times."""
        return 4 * self._policy.message_bytes

    async def receive(self, decoded: Decoded, size: int = 0) -> list[Result]:
        """Settle decoded messages durably; one result each, the quarantined ones last.

        `size` is the weight of the request in bytes. Raises Unavailable when it should be sent again.
        """
        if len(decoded.messages) > SLICE:
            return await self.receive_parts(_parts(decoded, size))
        works, results = self._works(decoded.messages, decoded.quarantined)
        return await self._settled(decoded, works, results, size)

    async def receive_parts(self, parts: Iterable[Decoded]) -> list[Result]:
        """Settle a body part by part, in order: one is decoded and mapped while those before are committed.

        No more than that waits of one body at a time, so that others have their turns between its parts. The
        results of each part end with its quarantined ones. When a part fails the whole is sent again, and
        what was settled is a duplicate then. Raises Unavailable as `receive` does.
        """
        answers: list[Result] = []
        before: asyncio.Task[list[Result]] | None = None
        for part in parts:
            works, results = await self._works_in_turns(part)
            answers += await before if before is not None else ()
            before = unheard(asyncio.create_task(self._settled(part, works, results, part.size)))
            await asyncio.sleep(_HEAD_START)
        return answers + (await before if before is not None else [])

    async def _works_in_turns(self, part: Decoded) -> tuple[list[Work], list[Result | None]]:
        """Return as `_works` does; others have their turn every few messages."""
        works, results = self._works(part.messages[:_STRETCH], ())
        for start in range(_STRETCH, len(part.messages), _STRETCH):
            await asyncio.sleep(0)
            more, coming = self._works(part.messages[start : start + _STRETCH], ())
            works += more
            results += coming
        # To pack what is as long as a body takes a while, and what is packed is what waits in memory then.
        kept = part.quarantined
        more, coming = self._works((), await asyncio.to_thread(_packed, kept) if kept else ())
        return works + more, results + coming

    def _works(
        self, messages: Sequence[Message], quarantined: Sequence[Quarantined]
    ) -> tuple[list[Work], list[Result | None]]:
        """Return what is to be settled, and the results: of those that are, they are still to come."""
        results: list[Result | None] = []
        works: list[Work] = []
        for message in messages:
            work = self._mapped(message)
            results.append(_ignored(message) if work is None else None)
            if work is not None:
                works.append(work)
            else:
                self._ignored(message)
        for kept in quarantined:
            results.append(None)
            works.append(Work(kept.source, kept.key, kept.key, kept.received_at, quarantine=kept))
        return works, results

    async def _settled(
        self, decoded: Decoded, works: Sequence[Work], results: Sequence[Result | None], size: int
    ) -> list[Result]:
        answers = await self._submit(works, results, size)
        self._count(decoded, answers)
        return answers

    async def _submit(
        self, works: Sequence[Work], results: Sequence[Result | None], size: int
    ) -> list[Result]:
        settled = await self._committer.submit(works, size) if works else []
        self._flag(works, settled)
        coming = iter(settled)
        return [next(coming) if result is None else result for result in results]

    def preview(self, message: Message) -> Result:
        """Return what mapping alone would make of a message; nothing is stored."""
        work = self._mapped(message)
        if work is None:
            return _ignored(message)
        if work.quarantine is not None:
            return Result(work.message_id, "quarantined", work.quarantine.reason)
        return Result(work.message_id, "processed")

    def _mapped(self, message: Message) -> Work | None:
        """Return the message as work, None when no mapping takes it."""
        message_id = _message_id(message)
        try:
            operations = self._books.mappings.operations(message)
        except MappingError as error:
            document = Raw(msgspec.json.encode(message.document))
            kept = Quarantined(
                message.source,
                message.key,
                document,
                error.message,
                message.received_at,
                replayed=message.replayed,
            )
            return Work(message.source, message.key, message_id, message.received_at, quarantine=kept)
        if not operations:
            return None
        unrewarded = self._unrewarded(message, operations)
        if unrewarded is _DEVELOPMENT:
            operations = tuple(each for each in operations if not isinstance(each, _REAL))
        return Work(
            message.source,
            message.key,
            message_id,
            message.received_at,
            operations,
            unrewarded=unrewarded,
            document=message.document,
        )

    def _unrewarded(self, message: Message, operations: tuple[object, ...]) -> Unrewarded | None:
        """Return why nothing may be issued for a message, None when something may."""
        context = message.document.get("context")
        if (
            not self._policy.reward_development
            and isinstance(context, dict)
            and context.get("environment") == "development"
        ):
            return _DEVELOPMENT
        if message.replayed:
            return _REPLAYED
        # What waited in quarantine was received long ago, and is history all the same.
        horizon = self._clock() - self._policy.reward_within
        for operation in operations:
            if isinstance(operation, EventOccurred) and operation.event.occurred_at < horizon:
                return _too_old(operation.event.occurred_at, self._policy.reward_within)
            if isinstance(operation, EventOccurred) and operation.undated:
                return _UNDATED
        return None

    def _flag(self, works: Sequence[Work], answers: Sequence[Result]) -> None:
        """Tell what was kept though it does not fit the data model."""
        for work, answer in zip(works, answers, strict=True):
            for operation in work.operations:
                if isinstance(operation, _FITTED) and operation.misfits:
                    answer.misfits = list(dict.fromkeys((*answer.misfits, *operation.misfits)))
                    self._metrics.misfits.labels(work.source).inc(len(operation.misfits))

    def _count(self, decoded: Decoded, answers: list[Result]) -> None:
        only = answers[0] if len(answers) == len(decoded.messages) == 1 else None
        if only is not None and only.outcome == "processed" and not only.discounts:
            self._outcomes[decoded.messages[0].source, "processed"] += 1
            return
        sources = [item.source for item in decoded.messages] + [item.source for item in decoded.quarantined]
        outcomes: Counter[tuple[str, str]] = Counter(
            (source, answer.outcome) for source, answer in zip(sources, answers, strict=True)
        )
        if decoded.dropped:
            outcomes["mparticle", "dropped"] = decoded.dropped
        self._outcomes.update(outcomes)
        for (source, outcome), count in outcomes.items():
            if outcome == "quarantined":
                self._kept.note(count, source=source)

    def _catch_up(self) -> None:
        outcomes, self._outcomes = self._outcomes, Counter()
        for (source, outcome), count in outcomes.items():
            self._metrics.messages.labels(source, outcome).inc(count)
        met = self._books.mappings.placeholders.met
        while met:
            (source, field), count = met.popitem()
            self._metrics.placeholders.labels(source, field).inc(count)


def _packed(quarantined: Sequence[Quarantined]) -> list[Quarantined]:
    return [packed(kept) for kept in quarantined]


def _parts(decoded: Decoded, size: int) -> Iterator[Decoded]:
    """Cut what was decoded at once into parts of SLICE messages."""
    messages = decoded.messages
    for start in range(0, len(messages), SLICE):
        part = messages[start : start + SLICE]
        last = start + SLICE >= len(messages)
        quarantined, dropped = (decoded.quarantined, decoded.dropped) if last else ([], 0)
        yield Decoded(part, quarantined, dropped, size=size * len(part) // len(messages))


def _too_old(happened: datetime, within: timedelta) -> Unrewarded:
    hours = within // timedelta(hours=1)
    return Unrewarded(
        "too_old",
        f"not rewarded: it happened at {happened:%Y-%m-%dT%H:%M:%SZ}, longer ago than the {hours} hours of "
        "`ingest.reward_within_hours`",
    )


def _ignored(message: Message) -> Result:
    return Result(_message_id(message), "ignored", "no mapping takes this message")


def _message_id(message: Message) -> str:
    message_id = message.document.get("messageId")
    return message_id if isinstance(message_id, str) else message.key

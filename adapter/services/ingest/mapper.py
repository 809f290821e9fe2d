"""The second step of the pipeline: map a message to operations by the current mapping files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, get_args

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from adapter.errors import MappingError
from adapter.model.environments import DEVELOPMENT, is_development
from adapter.model.messages import Message
from adapter.model.operations import (
    CustomerErase,
    CustomerUpsert,
    DiscountMove,
    EventOccurred,
    Operation,
    OrderOperation,
)
from adapter.model.quarantine import Quarantined
from adapter.model.times import message_time
from adapter.services.ingest.operation_documents import operations_of
from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Unrewarded, Work
from adapter.services.loaded_files import LoadedFiles
from adapter.settings.values import Settings

#: Operations that test traffic must not apply to real data.
_REAL = (DiscountMove, CustomerErase, *get_args(OrderOperation))
#: Why no rule is evaluated for an event.
_REPLAYED = Unrewarded("replayed", "not rewarded: it is a replay of history")
_DEVELOPMENT = Unrewarded(
    "development",
    "not rewarded: it comes from a development environment, and `mparticle.accept_development` is false",
)
_UNDATED = Unrewarded(
    "undated", "not rewarded: its time cannot be read, so it may be older than `ingest.reward_within_hours`"
)


class Policy(Struct, frozen=True):
    """Which events may be rewarded.

    An event that occurred longer ago than `reward_within` is history; one from a development environment is a
    test. `message_bytes` is the maximum size of a message.
    """

    reward_within: timedelta = timedelta(hours=72)
    reward_development: bool = False
    message_bytes: int = 262_144

    @classmethod
    def of(cls, settings: Settings) -> Policy:
        """Return the policy of the settings."""
        within = timedelta(hours=settings.ingest.reward_within_hours)
        return cls(within, settings.mparticle.accept_development, settings.ingest.max_event_bytes)


class Mapper:
    """Maps messages by the current files, and marks those that may not be rewarded."""

    def __init__(self, files: LoadedFiles, policy: Policy, clock: Callable[[], datetime]) -> None:
        self._files = files
        self._policy = policy
        self._clock = clock

    def follow(self, settings: Settings) -> None:
        """Use the policy of these settings from the next messages on."""
        self._policy = Policy.of(settings)

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources for which the current files have mappings."""
        return self._files.mappings.sources

    @property
    def longest(self) -> int:
        """The maximum size of a document: it contains parts of the message several times."""
        return 4 * self._policy.message_bytes

    def works(self, messages: Sequence[Message]) -> list[Work | None]:
        """Return each message as work, None for one that no mapping takes."""
        horizon = self._clock() - self._policy.reward_within
        return [self._work(message, horizon) for message in messages]

    def _work(self, message: Message, horizon: datetime) -> Work | None:
        message_id = _message_id(message)
        try:
            operations = self._files.mappings.operations(message)
        except MappingError as error:
            return _quarantined(message, message_id, error)
        if not operations:
            return None
        development = is_development(message.document.get("context"))
        unrewarded = self._unrewarded(message, operations, horizon, development=development)
        if unrewarded is _DEVELOPMENT:
            operations = tuple(each for each in operations if not isinstance(each, _REAL))
        elif development:
            operations = tuple(map(_marked, operations))
        return Work(
            message.source,
            message.key,
            message_id,
            message.received_at,
            operations,
            unrewarded=unrewarded,
            document=message.document,
        )

    def _unrewarded(
        self, message: Message, operations: tuple[object, ...], horizon: datetime, *, development: bool
    ) -> Unrewarded | None:
        """Return why a message may not be rewarded, None where it may.

        Events and facts before `horizon` are history, also those of messages replayed from quarantine. Facts
        trigger rules only where a rule waits for a change.
        """
        if development and not self._policy.reward_development:
            return _DEVELOPMENT
        if message.replayed:
            return _REPLAYED
        for operation in operations:
            if isinstance(operation, EventOccurred) and operation.event.occurred_at < horizon:
                return _too_old(operation.event.occurred_at, self._policy.reward_within)
            if isinstance(operation, EventOccurred) and operation.undated:
                return _UNDATED
        if self._files.rules.changes and any(isinstance(each, CustomerUpsert) for each in operations):
            at = message_time(message.document, message.received_at).at
            return _too_old(at, self._policy.reward_within) if at < horizon else None
        return None


def _marked(operation: Operation) -> Operation:
    """Return an operation of development traffic; its event says so, also where no mapping took it over.

    The event stays with timers, so that what they issue later is known as development too.
    """
    if not isinstance(operation, EventOccurred) or is_development(operation.event.context):
        return operation
    context = {**operation.event.context, "environment": DEVELOPMENT}
    return replace(operation, event=replace(operation.event, context=context))


class OperationMapper(Mapper):
    """Takes messages that are documents of operations (operation_documents.py): no mapping maps them.

    Rules are evaluated as of the time when the message was received, also where an outbox held it since; and
    so is what may be rewarded. The program that mapped it may have said already why nothing may.
    """

    def works(self, messages: Sequence[Message]) -> list[Work | None]:
        """Return each message as work."""
        return [self._taken(message) for message in messages]

    def _taken(self, message: Message) -> Work:
        document = message.document
        message_id = document.get("message_id")
        message_id = message_id if isinstance(message_id, str) else message.key
        try:
            operations = operations_of(message)
            unrewarded = _said(document.get("unrewarded"))
        except MappingError as error:
            return _quarantined(message, message_id, error)
        if unrewarded is None:
            horizon = message.received_at - self._policy.reward_within
            development = any(
                isinstance(each, EventOccurred) and is_development(each.event.context) for each in operations
            )
            unrewarded = self._unrewarded(message, operations, horizon, development=development)
        return Work(
            message.source,
            message.key,
            message_id,
            message.received_at,
            operations,
            unrewarded=unrewarded,
            document=document,
            as_of=message.received_at,
        )


def _said(unrewarded: Any) -> Unrewarded | None:
    try:
        return msgspec.convert(unrewarded, Unrewarded | None)
    except msgspec.ValidationError as error:
        raise MappingError(f"`unrewarded` is not as documented: {error}") from error


def _quarantined(message: Message, message_id: str, error: MappingError) -> Work:
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


def _too_old(happened: datetime, within: timedelta) -> Unrewarded:
    hours = within // timedelta(hours=1)
    return Unrewarded(
        "too_old",
        f"not rewarded: it occurred at {happened:%Y-%m-%dT%H:%M:%SZ}, longer ago than the {hours} hours of "
        "`ingest.reward_within_hours`",
    )


def ignored(message: Message) -> Result:
    """Return the result of a message that no mapping takes."""
    return Result(_message_id(message), "ignored", "no mapping takes this message")


def _message_id(message: Message) -> str:
    message_id = message.document.get("messageId")
    return message_id if isinstance(message_id, str) else message.key

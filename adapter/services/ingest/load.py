"""The data that a batch loads before it is decided, and which of its messages are new."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from adapter.model.customers import LINKING
from adapter.model.events import Event
from adapter.model.operations import (
    CustomerErase,
    CustomerGroup,
    CustomerMerge,
    CustomerUpsert,
    DiscountMove,
    EventOccurred,
)
from adapter.model.timers import Timer
from adapter.rules.engine.lives import code_of
from adapter.rules.engine.ruleset import RuleSet
from adapter.services.ingest.work_item import Work
from adapter.store.values import LoadedState, LoadRequest, MessageKey

#: Operations that name linking identities and no other customer.
_LINKED = (EventOccurred, CustomerUpsert, CustomerGroup)


def load_request(batch: Sequence[Work], rules: RuleSet) -> LoadRequest:
    """Return the request for the data that the decision of a batch needs.

    It names the other customers that rules reward for an event, and the timers that are weighed together.
    """
    named = rules.named.ids if rules.rewards_others else None
    customers: dict[str, None] = {}
    identities: dict[tuple[str, str], None] = {}
    codes: dict[str, None] = {}
    for work in batch:
        if (due := work.timer or work.firing) is not None:
            customers[due.source_id] = None
        for operation in work.operations:
            if operation.source_id is not None:
                customers[operation.source_id] = None
            if isinstance(operation, _LINKED):
                for kind in LINKING if operation.identities else ():
                    value = operation.identities.get(kind)
                    if value is not None:
                        identities[(kind, value)] = None
                        customers[value] = None
            elif isinstance(operation, DiscountMove):
                codes[operation.code] = None
                if operation.source_id is not None:
                    identities |= {(kind, operation.source_id): None for kind in LINKING}
            elif isinstance(operation, CustomerMerge):
                customers[operation.previous_id] = None
                names = (operation.source_id, operation.previous_id)
                identities |= {(kind, name): None for kind in LINKING for name in names}
            elif isinstance(operation, CustomerErase):
                identities |= {(kind, operation.source_id): None for kind in LINKING}
    others = dict.fromkeys(_others(batch, named))
    customers |= others
    identities |= {(kind, name): None for kind in LINKING for name in others}
    timers = [work.timer for work in batch if work.timer is not None]
    waits = dict.fromkeys(name for timer in timers for name in _weighed(timer, rules))
    codes |= {code: None for timer in timers if (code := code_of(timer)) is not None}
    keys = [(work.source, work.key) for work in batch if work.key]
    return LoadRequest(keys, list(customers), list(identities), list(codes), list(waits))


def _others(batch: Sequence[Work], named: Callable[[Event], Sequence[str]] | None) -> Iterator[str]:
    """Yield the ids of other customers that rules reward for the events of a batch."""
    if named is None:
        return
    for work in batch:
        if work.timer is not None:
            yield from named(work.timer.event)
        for operation in work.operations:
            if isinstance(operation, EventOccurred):
                yield from named(operation.event)


def _weighed(timer: Timer, rules: RuleSet) -> tuple[str, ...]:
    """Return the rules whose timers are weighed with a due one, and its own."""
    return (timer.rule, *rules.companions.get(timer.rule, ()))


def fresh(batch: Sequence[Work], loaded: LoadedState) -> list[int]:
    """Return the indexes of messages not seen before, in the store or earlier in the batch."""
    seen: set[MessageKey] = set(loaded.answers)
    found = []
    for index, work in enumerate(batch):
        key = (work.source, work.key)
        if not work.key or key not in seen:
            seen.add(key)
            found.append(index)
    return found

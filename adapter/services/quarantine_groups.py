"""Quarantined messages by why they are there, counted in bounded time.

Reasons are read without their messages, the latest first, a few thousand for one call; what was not reached
is said, and the next call goes on there.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from adapter.model.quarantine import Reason
from adapter.model.quarantine_groups import fingerprint, group_of
from adapter.services.read_timeout import ReadTimeout
from adapter.store.contract import Store

#: Messages that one call looks at.
MOST = 10_000
_SLICE = 2_500


class Group(Struct):
    """Messages of one source that are in quarantine for the same reason, but for its values.

    `id` names the group, `reason` is without its values, and `sample` is the latest message.
    """

    id: str
    source: str
    reason: str
    count: int
    first_at: datetime
    last_at: datetime
    sample: int


class Groups(Struct, frozen=True):
    """Groups by size, the largest first, of `looked_at` messages. `next` is where the next call goes on.

    `searched_to` is when the earliest of the messages was received.
    """

    groups: list[Group]
    looked_at: int
    searched_to: datetime | None
    next: int | None


class Members(Struct, frozen=True):
    """The latest messages of a group, and how many there are among `looked_at`; `more` says it is not all."""

    group: Group | None
    messages: list[Reason]
    looked_at: int
    more: bool


async def grouped(store: Store, patience: ReadTimeout, before: int | None = None, most: int = MOST) -> Groups:
    """Return the groups of the latest messages, or of those before an id."""
    found: dict[str, Group] = {}
    reasons = await _latest(store, patience, before, most)
    for each in reasons:
        _count(found, each)
    ordered = sorted(found.values(), key=lambda group: (-group.count, group.id))
    following = reasons[-1].id if len(reasons) == most else None
    return Groups(ordered, len(reasons), reasons[-1].received_at if reasons else None, following)


async def members(
    store: Store, patience: ReadTimeout, group: str, shown: int = 50, most: int = MOST
) -> Members:
    """Return the messages of one group, the latest first."""
    reasons = await _latest(store, patience, None, most)
    own = [each for each in reasons if group_of(each.source, each.reason) == group]
    found: dict[str, Group] = {}
    for each in own:
        _count(found, each)
    return Members(found.get(group), own[:shown], len(reasons), len(reasons) == most)


def _count(found: dict[str, Group], each: Reason) -> None:
    name = group_of(each.source, each.reason)
    group = found.get(name)
    if group is None:
        at = each.received_at
        found[name] = Group(name, each.source, fingerprint(each.reason), 1, at, at, each.id)
    else:
        group.count += 1
        group.first_at = min(group.first_at, each.received_at)
        group.last_at = max(group.last_at, each.received_at)


async def _latest(store: Store, patience: ReadTimeout, before: int | None, most: int) -> list[Reason]:
    found: list[Reason] = []
    while len(found) < most:
        wanted = min(_SLICE, most - len(found))
        page = await patience.read(store.quarantine_reasons(before, wanted))
        found += page
        if len(page) < wanted:
            break
        before = page[-1].id
    return found

"""Quarantined messages by why they are there, counted in bounded time.

Reasons are read without their messages, the latest first, a few thousand for one call; what was not reached
is said, and the next call goes on there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from adapter.model.quarantine import Reason
from adapter.model.quarantine_groups import fingerprint, group_of
from adapter.services.read_timeout import ReadTimeout
from adapter.store.contract import Store

#: Messages that one call looks at.
MOST = 5_000
_SLICE = 2_500


class QuarantineGroup(Struct):
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

    groups: list[QuarantineGroup]
    looked_at: int
    searched_to: datetime | None
    next: int | None


class GroupMembers(Struct, frozen=True):
    """The latest messages of a group, and how many there are among `looked_at`; `more` says it is not all."""

    group: QuarantineGroup | None
    messages: list[Reason]
    looked_at: int
    more: bool


async def grouped(store: Store, patience: ReadTimeout, before: int | None = None, most: int = MOST) -> Groups:
    """Return the groups of the latest messages, or of those before an id."""
    reasons = await _latest(store, patience, before, most)
    ordered = sorted(_counted(reasons).values(), key=lambda group: (-group.count, group.id))
    following = reasons[-1].id if len(reasons) == most else None
    return Groups(ordered, len(reasons), reasons[-1].received_at if reasons else None, following)


async def members(
    store: Store, patience: ReadTimeout, group: str, shown: int = 50, most: int = MOST
) -> GroupMembers:
    """Return the messages of one group, the latest first."""
    reasons = await _latest(store, patience, None, most)
    counted = _counted(reasons)
    own = [each for each, name in zip(reasons, _names(reasons), strict=True) if name == group]
    return GroupMembers(counted.get(group), own[:shown], len(reasons), len(reasons) == most)


def _names(reasons: Sequence[Reason]) -> list[str]:
    """Return the group of each message; most reasons are alike, and each is looked at once."""
    known: dict[tuple[str, str], str] = {}
    for each in reasons:
        if (each.source, each.reason) not in known:
            known[each.source, each.reason] = group_of(each.source, each.reason)
    return [known[each.source, each.reason] for each in reasons]


def _counted(reasons: Sequence[Reason]) -> dict[str, QuarantineGroup]:
    found: dict[str, QuarantineGroup] = {}
    for each, name in zip(reasons, _names(reasons), strict=True):
        group, at = found.get(name), each.received_at
        if group is None:
            found[name] = QuarantineGroup(name, each.source, fingerprint(each.reason), 1, at, at, each.id)
        else:
            group.count += 1
            group.first_at = min(group.first_at, at)
            group.last_at = max(group.last_at, at)
    return found


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

"""What the server under attack has acknowledged to the attacker, and how much of it is not in the store.

The attacker is killed in the middle, so each answer is written down as it comes, a call a line.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from adapter.model.customers import SOURCE_ID
from adapter.model.quarantine import Excerpt
from adapter.store.contract import Store
from adapter.store.transaction_contract import Transaction
from adapter.store.values import LoadedState, LoadRequest

_FILE = "acknowledged.jsonl"
#: So many calls are looked for in one transaction.
_CALLS = 500


class Acknowledged(Struct, frozen=True):
    """A call that was answered 200: its dedupe key (empty without an id), the customer, and who joins."""

    kind: str
    key: str
    customer: str
    previous: str


class _Call(Struct):
    """What identifies a call of Segment's."""

    type: str
    messageId: str  # noqa: N815 - Segment's name


def write_down(folder: Path, calls: Iterable[dict[str, Any]]) -> None:
    """Add calls to those that were acknowledged; complete when it returns, should the process be killed."""
    lines = [json.dumps(_told(call)) + "\n" for call in calls]
    with (folder / _FILE).open("a", encoding="utf-8") as file:
        file.writelines(lines)


def _told(call: dict[str, Any]) -> list[str]:
    message, kind = call["messageId"], call["type"]
    customer = call.get("userId") or call["anonymousId"]
    return [kind, f"{message}:{kind}" if message else "", customer, call.get("previousId", "")]


def written_down(folder: Path) -> list[Acknowledged]:
    """Return the calls that were acknowledged; a last line that is cut off was not written down."""
    file = folder / _FILE
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True) if file.exists() else []
    return [Acknowledged(*json.loads(line)) for line in lines if line.endswith("\n")]


async def missing(store: Store, calls: list[Acknowledged]) -> int:
    """Return how many calls are not in a store: their message, their customer or their merge.

    A customer that a call erased must not be there. What waits in quarantine has done nothing yet.
    """
    waiting = await _quarantined(store)
    erased = {call.customer for call in calls if call.kind == "delete"}
    lost = 0
    for start in range(0, len(calls), _CALLS):
        part = calls[start : start + _CALLS]
        found = await _loaded(store, part)
        lost += sum(not _is_kept(call, found, waiting, erased) for call in part)
    return lost


async def _quarantined(store: Store) -> set[str]:
    keys: set[str] = set()
    after = 0
    while page := await store.quarantined(after, 100):
        keys.update([await _own_key(store, entry) for entry in page])
        after = page[-1].id
    return keys


async def _own_key(store: Store, entry: Excerpt) -> str:
    """Return the key of a waiting message; one that was too large to be decoded has its digest instead."""
    message = await store.quarantined_message(entry.id) if entry.key.startswith("sha256:") else None
    if message is None:
        return entry.key
    try:
        document = msgspec.json.decode(message.document)
        call = msgspec.json.decode(document, type=_Call) if isinstance(document, str) else None
    except msgspec.DecodeError:
        return entry.key
    return entry.key if call is None else f"{call.messageId}:{call.type}"


async def _loaded(store: Store, calls: list[Acknowledged]) -> LoadedState:
    messages = sorted({("segment", call.key) for call in calls if call.key})
    customers = sorted({name for call in calls for name in (call.customer, call.previous) if name})
    identities = [(SOURCE_ID, name) for name in customers]

    async def script(transaction: Transaction) -> LoadedState:
        return await transaction.load(LoadRequest(messages, customers, identities), datetime.now(UTC))

    return await store.transact(script)


def _is_kept(call: Acknowledged, found: LoadedState, waiting: set[str], erased: set[str]) -> bool:
    if call.key and call.key in waiting:
        return True
    if call.key and ("segment", call.key) not in found.answers:
        return False

    def owner(name: str) -> str:
        return found.identities.get((SOURCE_ID, name), name)

    if call.customer in erased:
        return owner(call.customer) not in found.customers
    kept = owner(call.customer)
    return kept in found.customers and owner(call.previous or call.customer) == kept

"""Sessions of the console and the audit log in a store."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from msgspec import Raw
from msgspec.structs import replace

from adapter.model.console import AuditEntry, ConsoleSession, SignIn, SignInLimits
from adapter.store.contract import Store
from adapter.store.values import Erasure, LoadRequest
from tests.store.conftest import NOW

SESSION = ConsoleSession(b"id", b"token", "ann\0", NOW + timedelta(hours=1))


def entry(**changed: Any) -> AuditEntry:
    return replace(AuditEntry(at=NOW, who="ann", role="admin", action="Revoke"), **changed)


async def test_a_session_lasts_until_its_end(store: Store) -> None:
    await store.add_session(SESSION, NOW)
    assert await store.session(b"id", NOW) == SESSION
    assert await store.session(b"other", NOW) is None
    assert await store.session(b"id", SESSION.expires_at) is None


async def test_a_session_ends_when_it_is_told_to(store: Store) -> None:
    await store.add_session(SESSION, NOW)
    await store.end_session(b"id")
    assert await store.session(b"id", NOW) is None


async def test_sessions_that_have_ended_are_deleted_at_the_next_sign_in(store: Store) -> None:
    await store.add_session(SESSION, NOW)
    await store.add_session(replace(SESSION, id=b"next"), SESSION.expires_at)
    assert await store.session(b"id", NOW) is None


LIMITS = SignInLimits(NOW - timedelta(minutes=5), per_address=2, in_all=3)


async def test_tokens_of_an_address_and_of_all_are_tried_as_often_as_the_limits_say(store: Store) -> None:
    begun = [await store.begin_sign_in(b"a", NOW + timedelta(seconds=at), LIMITS) for at in range(3)]
    assert [each.number is None for each in begun] == [False, False, True]
    assert begun[2] == SignIn(None, NOW)
    other = await store.begin_sign_in(b"b", NOW + timedelta(seconds=3), LIMITS)
    assert other.number is not None
    assert await store.begin_sign_in(b"c", NOW, LIMITS) == SignIn(None, NOW)
    await store.drop_sign_in(other.number)
    assert (await store.begin_sign_in(b"c", NOW, LIMITS)).number is not None


async def test_tokens_that_are_tried_at_once_are_no_more_than_the_limits_say(store: Store) -> None:
    begun = await asyncio.gather(*(store.begin_sign_in(b"a", NOW, LIMITS) for _ in range(8)))
    assert sum(each.number is not None for each in begun) == 2


async def test_a_token_out_of_time_makes_room_and_retention_removes_it(store: Store) -> None:
    for _ in range(2):
        await store.begin_sign_in(b"a", NOW, LIMITS)
    later = replace(LIMITS, since=NOW)
    assert (await store.begin_sign_in(b"a", NOW + timedelta(minutes=5), later)).number is not None
    assert await store.purge("sign_ins", NOW + timedelta(minutes=6)) == 1


async def test_an_entry_is_begun_and_ended(store: Store) -> None:
    number = await store.begin_audit(entry())
    ended = entry(number=number, state="done", message="é\0", subject="A-1", after=Raw(b'{"n":1}'))
    await store.end_audit(ended)
    assert await store.audit_entry(number) == ended
    assert await store.audit_entry(number + 1) is None


async def test_entries_are_paged_from_the_latest_and_found_by_customer(store: Store) -> None:
    numbers = [await store.begin_audit(entry(customer=each)) for each in ("u-1", "u-2", "u-1")]
    assert [each.number for each in await store.audit()] == numbers[::-1]
    assert [each.number for each in await store.audit(numbers[2], 1)] == [numbers[1]]
    assert [each.number for each in await store.audit(customer="u-1")] == [numbers[2], numbers[0]]


async def test_an_erasure_takes_the_customer_out_of_the_log(store: Store, run: Any) -> None:
    kept = entry(customer="u-1", subject="u-1", message="of u-1", before=Raw(b'"u-1"'))
    number = await store.begin_audit(kept)
    await run.save(LoadRequest(customers=["u-1"]), erased=[Erasure("u-1")])
    found = await store.audit_entry(number)
    assert found == entry(number=number, message="the customer was erased")


async def test_old_entries_are_deleted(store: Store) -> None:
    for at in (NOW - timedelta(days=2), NOW):
        await store.begin_audit(entry(at=at))
    assert await store.purge("audit", NOW - timedelta(days=1)) == 1
    assert [each.at for each in await store.audit()] == [NOW]

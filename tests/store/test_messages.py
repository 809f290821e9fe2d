"""Dedupe keys: claimed once, answered alike, forgotten by age."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from adapter.store.contract import Store
from adapter.store.transaction_contract import Transaction
from adapter.store.values import LoadRequest

KEYS = [("segment", "m1"), ("segment", "m2"), ("mparticle", "m1")]


async def test_a_new_key_is_fresh_and_a_known_one_brings_its_answer(run: Any) -> None:
    assert (await run.save(LoadRequest(messages=KEYS), answers={KEYS[0]: b"done"})).answers == {}
    assert (await run.load(messages=KEYS)).answers == {KEYS[0]: b"done", KEYS[1]: b"", KEYS[2]: b""}


async def test_source_and_key_are_separate(run: Any) -> None:
    await run.load(messages=[("a", "bc"), ("d\0e", "f")])
    assert (await run.load(messages=[("ab", "c"), ("a", "bc")])).answers == {("a", "bc"): b""}


async def test_a_dedupe_key_without_other_changes_is_stored(run: Any) -> None:
    await run.load(messages=KEYS)
    assert set((await run.load(messages=KEYS)).answers) == set(KEYS)


async def test_an_answer_can_be_given_later(run: Any) -> None:
    await run.load(messages=KEYS[:1])
    await run.save(answers={KEYS[0]: b"later"})
    assert (await run.load(messages=KEYS[:1])).answers == {KEYS[0]: b"later"}


async def test_a_key_that_occurs_twice_in_a_batch_is_one_key(run: Any) -> None:
    assert (await run.load(messages=[KEYS[0], KEYS[0]])).answers == {}
    assert (await run.load(messages=[KEYS[0], KEYS[0]])).answers == {KEYS[0]: b""}


async def test_of_many_transactions_at_once_exactly_one_sees_a_key_fresh(store: Store, run: Any) -> None:
    orders = [KEYS, KEYS[::-1]] * 8
    loads = await asyncio.gather(*(run.load(messages=order) for order in orders))
    for key in KEYS:
        assert sum(key not in loaded.answers for loaded in loads) == 1


async def test_a_script_that_fails_claims_nothing(store: Store, run: Any, make: Any) -> None:
    async def script(transaction: Transaction) -> None:
        await transaction.load(LoadRequest(messages=KEYS), make.now)
        await transaction.save(make.changes(answers=dict.fromkeys(KEYS, b"x"), counters={("", "k"): 1}))
        raise LookupError("the script's own")

    with pytest.raises(LookupError, match="the script's own"):
        await store.transact(script)
    assert (await run.load(messages=KEYS)).answers == {}
    assert await run.used(("", "k")) == {}


async def test_old_dedupe_keys_are_deleted_except_those_with_a_discount(
    store: Store, run: Any, make: Any
) -> None:
    answered = ("segment", "answered")
    await run.save(
        LoadRequest(messages=[*KEYS[:2], answered]), rewarded={KEYS[0]: "c1"}, answers={answered: b"A1"}
    )
    await run.load(messages=KEYS[2:], now=make.at(days=31))
    assert await store.purge_dedupe_keys(make.at(days=30)) == 1
    known = (await run.load(messages=[*KEYS, answered])).answers
    assert known == {KEYS[0]: b"", KEYS[2]: b"", answered: b"A1"}


async def test_dedupe_keys_of_all_digests_are_deleted(store: Store, run: Any, make: Any) -> None:
    await run.load(messages=[("s", str(number)) for number in range(1000)])
    assert await store.purge_dedupe_keys(make.now) == 0
    assert await store.purge_dedupe_keys(make.at(seconds=1)) == 1000

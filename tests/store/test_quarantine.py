"""The quarantine: kept whole, read in order, released once."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec import Raw
from msgspec.structs import replace

from adapter.model.quarantine import SHOWN
from adapter.store import unmapped_rows
from adapter.store.contract import Store


async def test_a_message_is_returned_as_saved_with_an_id(store: Store, run: Any, make: Any) -> None:
    kept = [make.quarantined("m\0", "é"), replace(make.quarantined("m2"), replayed=True)]
    await run.save(quarantine=kept)
    ids = [each.id for each in await store.quarantined()]
    found = [await store.quarantined_message(id_) for id_ in ids]
    assert [replace(each, id=0) for each in found if each] == kept
    assert 0 < ids[0] < ids[1]


@pytest.mark.parametrize("document", [b'{"a":"%b"}', b'["\\u00e9%b"]', '"é%b"'.encode(), b"[%b0]"])
@pytest.mark.parametrize("long", [10, SHOWN, 5_000_000])
async def test_a_long_document_is_kept_whole_and_lists_show_its_beginning(
    store: Store, run: Any, make: Any, document: bytes, long: int
) -> None:
    text = document % (b"1," * (long // 2))
    await run.save(quarantine=[replace(make.quarantined("m"), document=Raw(text))])
    [excerpt] = await store.quarantined()
    assert await store.latest_quarantined() == [excerpt]
    assert (excerpt.size, excerpt.truncated) == (len(text), len(text) > SHOWN)
    assert len(bytes(excerpt.document)) < 2 * SHOWN
    whole = await store.quarantined_message(excerpt.id)
    assert whole is not None
    assert bytes(whole.document) == text
    shown = msgspec.json.decode(excerpt.document)
    assert text.decode().startswith(shown) if excerpt.truncated else bytes(excerpt.document) == text


async def test_long_documents_of_an_older_program_are_listed_and_found(
    store: Store, run: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = b'{"a":"%b"}' % ("é" * 500_000).encode()
    monkeypatch.setattr(unmapped_rows, "packed", lambda message: message)
    await run.save(quarantine=[replace(make.quarantined("m"), document=Raw(text))])
    [excerpt] = await store.quarantined()
    assert (excerpt.size, excerpt.truncated) == (len(text), True)
    assert text.decode().startswith(msgspec.json.decode(excerpt.document))
    whole = await store.quarantined_message(excerpt.id)
    assert whole is not None
    assert bytes(whole.document) == text


async def test_a_missing_message_gives_none(store: Store) -> None:
    assert await store.quarantined_message(7) is None


async def test_pages_go_on_after_an_id(store: Store, run: Any, make: Any) -> None:
    await run.save(quarantine=[make.quarantined(str(number)) for number in range(5)])
    first = await store.quarantined(limit=2)
    rest = await store.quarantined(after=first[-1].id)
    assert [each.key for each in first + rest] == ["0", "1", "2", "3", "4"]


async def test_the_latest_come_first_and_pages_go_back_before_an_id(
    store: Store, run: Any, make: Any
) -> None:
    await run.save(quarantine=[make.quarantined(str(number)) for number in range(5)])
    first = await store.latest_quarantined(limit=2)
    rest = await store.latest_quarantined(before=first[-1].id)
    assert [each.key for each in first + rest] == ["4", "3", "2", "1", "0"]
    assert first == (await store.quarantined())[:-3:-1]
    assert await store.latest_quarantined(before=rest[-1].id) == []


async def test_released_ones_are_gone_and_their_ids_are_not_given_again(
    store: Store, run: Any, make: Any
) -> None:
    await run.save(quarantine=[make.quarantined("1"), make.quarantined("2")])
    ids = [each.id for each in await store.quarantined()]
    assert await store.release_quarantined([*ids, 999]) == 2
    assert await store.release_quarantined(ids) == 0
    await run.save(quarantine=[make.quarantined("3")])
    assert (await store.quarantined())[0].id > ids[-1]
    assert (await store.counts())["quarantined"] == 1

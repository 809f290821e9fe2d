"""A store that version 1f94a33 wrote, opened by this program."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from adapter.store.engines import open_store
from tests.store.before.restore import AFTER, restore


@pytest.fixture(params=["sqlite", "postgres"])
async def before(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Any]:
    """The recorded store, opened."""
    url = f"sqlite:///{tmp_path / 'adapter.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("new_postgres")
    await restore(url)
    store = open_store(url)
    await store.open()
    yield store
    await store.close()


@pytest.mark.anyio
async def test_a_store_of_the_version_before_is_consistent(before: Any) -> None:
    assert await before.check() == []


@pytest.mark.anyio
@pytest.mark.parametrize("source_id", ["undefined", "null", "00000000-0000-0000-0000-000000000000"])
async def test_customers_stored_under_placeholders_are_still_read(before: Any, source_id: str) -> None:
    customer = await before.customer(source_id)
    assert customer is not None
    assert customer.source_id == source_id


@pytest.mark.anyio
async def test_codes_that_differ_in_case_and_dashes_alone_are_read_by_their_exact_spelling(
    before: Any,
) -> None:
    for code, owner in [("SAVE-N9FZ6M", "cara"), ("SaveN9FZ6M", "dora"), ("SAVE-XRA5EV", "both")]:
        held = await before.discount(code)
        assert held is not None
        assert (held.discount.code, held.source_id) == (code, owner)


@pytest.mark.anyio
async def test_events_and_timers_of_the_version_before_are_still_there(before: Any) -> None:
    assert len(await before.events("speller", 100)) == 15
    assert [timer.rule for timer in await before.due_timers(AFTER.replace(year=2028), 10)] == ["come-back"]


@pytest.mark.process
def test_the_recording_is_of_the_same_messages_on_both_engines() -> None:
    folder = Path(__file__).parent / "before"
    tables = [
        sorted(line.split(" (")[0] for line in (folder / name).read_text().splitlines() if "INSERT" in line)
        for name in ("sqlite.sql", "postgres.sql")
    ]
    ours = [[line for line in each if "totals" not in line and "INTO codes" not in line] for each in tables]
    assert ours[0] == ours[1]

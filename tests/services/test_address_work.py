"""The index of email addresses costs a message nothing where there is no address to note."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from adapter.model.emails import each_in
from adapter.model.events import User
from adapter.model.operations import CustomerUpsert
from adapter.store import addresses
from tests.services.transaction_costs import Cost, Counted

RULES = "rules: [{name: gift, trigger: started, action: {type: free_shipping}}]"
OWN = "ann@x.test"


@pytest.fixture
async def desk(open_desk: Any) -> Any:
    desk = await open_desk(RULES)
    desk.store = Counted(desk.store)
    await desk.take(CustomerUpsert("ann", fields={"email": OWN}), desk.event("seen"))
    return desk


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that is looked through for addresses."""
    texts: list[str] = []

    def look(text: str) -> Iterator[str]:
        texts.append(text)
        return each_in(text)

    monkeypatch.setattr(addresses, "each_in", look)
    return texts


async def cost(desk: Any, minutes: int, email: str | None = None, **attributes: Any) -> Cost:
    """Return what an event of a known customer costs."""
    operation = desk.event("seen", minutes=minutes, **attributes)
    event = replace(operation.event, id=f"e{minutes}", user=User("ann", email))
    desk.store.taken()
    await desk.take(replace(operation, event=event))
    spent: Cost = desk.store.taken()
    return spent


async def test_an_event_without_an_address_is_not_looked_through(desk: Any, looked: list[str]) -> None:
    await cost(desk, 1, url="https://x.test/?a=b%20c&d=e", note="100 % für alle & mehr \\ \u00a7")
    assert looked == []


async def test_an_event_with_its_customers_own_address_costs_no_more_statements_and_rows(
    desk: Any, looked: list[str]
) -> None:
    plain = await cost(desk, 1, note="none")
    own = await cost(desk, 2, email=OWN, note=OWN, traits={"email": OWN})
    assert (own.statements, own.rows, looked) == (plain.statements, plain.rows, [])


async def test_an_event_with_another_address_costs_one_row_once(desk: Any, looked: list[str]) -> None:
    plain = await cost(desk, 1, note="none")
    first, again = await cost(desk, 2, note="bob@x.test"), await cost(desk, 3, note="bob@x.test")
    assert (first.statements, first.rows) == (plain.statements + 1, plain.rows + 1)
    assert again.rows == plain.rows
    assert len(looked) == 2

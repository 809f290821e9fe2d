"""Lists of ids go on naming customers who are merged into others."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.model.customers import Customer
from adapter.model.operations import CustomerMerge, CustomerUpsert
from adapter.services.ingest.identities import MOST_NAMES, IdentityGraph
from adapter.store.values import CustomerRecord, LoadedState

LISTS = "segments: {staff: {source_ids: [emp_1]}}"
RULES = "rules: [{name: gift, trigger: started, action: {type: free_shipping},"
RULES += " guardrails: {excluded_segments: [staff]}}]"


@pytest.fixture
async def desk(open_desk: Any, tmp_path: Any) -> Any:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "definitions.yaml").write_text(LISTS)
    return await open_desk(RULES)


@pytest.mark.parametrize("known", [["emp_1"], ["u1"], ["emp_1", "u1"]])
@pytest.mark.parametrize("sent_as", ["emp_1", "u1", "u2"])
async def test_a_list_still_names_a_merged_customer(known: list[str], sent_as: str, desk: Any) -> None:
    for name in known:
        await desk.take(CustomerUpsert(name, traits={"of": name}))
    await desk.take(CustomerMerge("u1", "emp_1"))
    await desk.take(CustomerMerge("u2", "u1"))
    assert (await desk.take(desk.event("started", sent_as))).discounts == []


async def test_merged_customers_that_no_list_names_are_served(desk: Any) -> None:
    await desk.take(CustomerUpsert("u0"))
    await desk.take(CustomerMerge("u1", "u0"))
    assert len((await desk.take(desk.event("started", "u1"))).discounts) == 1


@pytest.mark.parametrize(
    ("identities", "merged"), [({}, ("old",)), ({"anonymous_id": "old"}, ())], ids=["customer", "visitor"]
)
def test_only_ids_of_known_customers_are_kept(identities: dict[str, str], merged: tuple[str, ...]) -> None:
    customers = (Customer("old", identities=identities), Customer("u1"))
    room = IdentityGraph(LoadedState({}, {}, {one.source_id: CustomerRecord(one) for one in customers}, {}))
    room.merge("old", "u1")
    assert [record.customer.merged for record in room.changed()] == [merged]


def test_all_data_of_mergeable_customers_is_kept() -> None:
    customers = {f"u{at}": CustomerRecord(Customer(f"u{at}")) for at in range(MOST_NAMES + 3)}
    room = IdentityGraph(LoadedState({}, {}, customers, {}))
    for at in range(1, MOST_NAMES + 3):
        room.merge(f"u{at}", "u0")
    [merged] = [record.customer.merged for record in room.changed()]
    assert merged == tuple(f"u{at}" for at in range(1, MOST_NAMES + 1))
    assert room.merge_rejection is not None

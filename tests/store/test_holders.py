"""A lease reads the customers of its deliveries, for destinations that render them."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Raw
from msgspec.structs import replace

from adapter.model.customers import Customer
from adapter.model.deliveries import Delivery, Holder, Rendered
from adapter.store.contract import Store


def render(delivery: Delivery) -> Rendered:
    """Return a body that tells the customer and the codes."""
    holder = delivery.holder
    if holder is UNSET:
        return Rendered("test", Raw(b'"nothing read"'))
    known = holder.customer.identities if holder.customer else None
    return Rendered("test", Raw(repr((known, holder.codes, holder.development_codes)).encode()))


async def leased(store: Store, make: Any, reading: Any) -> list[bytes]:
    found = await store.lease(make.now, make.at(minutes=1), 9, None, render, reading=reading)
    assert all(each.holder is UNSET for each in await store.deliveries("due"))
    return [each.body for each in found]


async def saved(run: Any, make: Any) -> None:
    developed = replace(make.held("T-1", "u\0"), development=True)
    discounts = [
        make.held("B-2", "u\0"),
        make.held("A-1", "u\0", status="applied"),
        make.held("GONE", "u\0", expires_at=make.at(seconds=-1)),
        make.held("USED", "u\0", status="redeemed"),
        make.held("OTHER", "someone"),
        developed,
    ]
    await run.save(
        customers=[make.customer("u\0", identities={"email": "a@example.com"})],
        discounts=discounts,
        deliveries=[make.delivery("d1", source_id="u\0")],
    )


async def test_the_customer_and_the_codes_that_they_can_use_are_read(
    store: Store, run: Any, make: Any
) -> None:
    await saved(run, make)
    [body] = await leased(store, make, "codes")
    assert body == repr(({"email": "a@example.com"}, ("A-1", "B-2"), ("T-1",))).encode()


async def test_codes_are_read_only_where_they_are_wanted(store: Store, run: Any, make: Any) -> None:
    await saved(run, make)
    assert await leased(store, make, "customers") == [repr(({"email": "a@example.com"}, (), ())).encode()]


async def test_nothing_is_read_for_other_destinations(store: Store, run: Any, make: Any) -> None:
    await saved(run, make)
    assert await leased(store, make, "nothing") == [b'"nothing read"']


async def test_an_unknown_customer_and_none_at_all_are_no_error(store: Store, run: Any, make: Any) -> None:
    await run.save(deliveries=[make.delivery("d1", source_id="who"), make.delivery("d2", source_id="")])
    assert await leased(store, make, "codes") == [repr((None, (), ())).encode(), b'"nothing read"']


async def test_a_customer_under_an_old_key_has_the_current_id(store: Store, run: Any, make: Any) -> None:
    await run.save(
        customers=[make.customer("old", known_as="new")], deliveries=[make.delivery("d1", source_id="old")]
    )
    seen: list[Holder] = []

    def look(delivery: Delivery) -> Rendered | None:
        assert delivery.holder is not UNSET
        seen.append(delivery.holder)
        return None

    await store.lease(make.now, make.at(minutes=1), 9, None, look, reading="customers")
    assert [each.customer for each in seen] == [Customer("new")]


async def test_at_most_the_newest_hundred_codes_are_read(store: Store, run: Any, make: Any) -> None:
    many = [make.held(f"C-{n:03}", issued_at=make.at(minutes=n)) for n in range(120)]
    await run.save(discounts=many, deliveries=[make.delivery("d1", source_id="c1")])
    seen: list[Any] = []

    def look(delivery: Delivery) -> Rendered | None:
        seen.append(delivery.holder)
        return None

    await store.lease(make.now, make.at(minutes=1), 9, None, look, reading="codes")
    assert seen[0].codes == tuple(f"C-{n:03}" for n in range(20, 120))

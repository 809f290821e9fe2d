"""The figures of rules, out of the store of each engine."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from adapter.errors import NotFound
from adapter.model.actions import StoreCredit
from adapter.model.discounts import DiscountRecord
from adapter.model.operations import DiscountMove
from adapter.model.redemptions import CodeUse, Redemption
from adapter.services import figures
from adapter.services.figures import Figures, RuleFigures, RuleFiguresReader
from adapter.services.loaded_files import LoadedFiles
from adapter.services.read_timeout import ReadTimeout
from adapter.store.transaction_contract import Transaction
from adapter.store.values import Changes, LoadRequest

RULES = """
rules:
  - name: gift
    trigger: started
    action: {type: amount_off, value: 10, currency: EUR, expires_in_hours: 30}
  - name: share
    trigger: shared
    action: {type: percentage_off, value: 10}
    guardrails: {budget: {total: 60, per_discount: 7.5, currency: USD}}
  - {name: open, trigger: opened, action: {type: percentage_off, value: 10}}
  - {name: credit, trigger: paid, action: {type: store_credit, value: 20, currency: JPY}}
  - {name: quiet, trigger: never, action: {type: percentage_off, value: 10}}
"""
FIRST, SECOND = date(2026, 3, 1), date(2026, 3, 2)


@pytest.fixture
async def desk(open_desk: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(figures, "PAGE", 2)
    return await open_desk(RULES)


def _reader(desk: Any) -> RuleFiguresReader:
    books: Any = LoadedFiles(None, desk.book)  # type: ignore[arg-type]
    return RuleFiguresReader(desk.store, books, lambda: desk.now, ReadTimeout(30))


async def _issue(desk: Any, event: str, *people: str) -> list[str]:
    works = [desk.work(desk.event(event, who, minutes=number)) for number, who in enumerate(people)]
    return [each.code for result in await desk.settle(works) for each in result.discounts]


async def _book(desk: Any, *redemptions: Redemption) -> None:
    async def script(transaction: Transaction) -> None:
        await transaction.load(LoadRequest(), desk.now)
        changes = Changes(desk.now)
        changes.redemptions = list(redemptions)
        await transaction.save(changes)

    await desk.store.transact(script)


async def _keep(desk: Any, held: DiscountRecord) -> None:
    """Put a discount in place of that of the same code, as programs without redemptions wrote it."""

    async def script(transaction: Transaction) -> None:
        await transaction.load(LoadRequest(codes=[held.discount.code]), desk.now)
        changes = Changes(desk.now)
        changes.discounts = [held]
        await transaction.save(changes)

    await desk.store.transact(script)


def _redemption(desk: Any, id_: str, use: CodeUse, **fields: Any) -> Redemption:
    given: dict[str, Any] = {"source_id": "ann", "state": "redeemed", "at": desk.now, "currency": "EUR"}
    return Redemption(id=id_, uses=(use,), **(given | fields))


async def test_discounts_are_counted_on_the_days_of_their_life(desk: Any) -> None:
    codes = await _issue(desk, "started", "ann", "bob", "cid", "dan", "eve")
    await desk.take(DiscountMove("apply", codes[0]))
    await desk.take(DiscountMove("redeem", codes[1]))
    desk.now = desk.at(24 * 60)
    await desk.take(DiscountMove("revoke", codes[2]))
    assert (await _reader(desk).of("gift")).days == {
        (FIRST, "EUR"): Figures(issued=5, open=3, liability=Decimal(30)),
        (FIRST, ""): Figures(redeemed=1, amount_unknown=1),
        (SECOND, "EUR"): Figures(revoked=1),
    }
    desk.now = desk.at(31 * 60)
    later = (await _reader(desk).of("gift")).totals()["EUR"]
    assert (later.open, later.liability, later.expired) == (0, Decimal(0), 3)


async def test_money_that_was_redeemed_and_rolled_back_is_counted_once(desk: Any) -> None:
    codes = await _issue(desk, "started", "ann", "bob")
    for code in codes:
        held = await desk.store.discount(code)
        await _keep(desk, replace(held, discount=replace(held.discount, status="redeemed")))
    first = CodeUse(code=codes[0], rule="gift", amount=1_000, returned=250)
    shared = CodeUse(code="SUMMER10", rule="summer", shared=True, amount=300, returned=300)
    await _book(
        desk,
        _redemption(desk, "r1", first),
        _redemption(desk, "r2", shared, state="rolled_back", at=desk.at(24 * 60)),
        _redemption(desk, "r3", CodeUse(code="SUMMER10", rule="summer", amount=5), state="held"),
    )
    gift = (await _reader(desk).of("gift")).totals()["EUR"]
    assert (gift.redeemed, gift.amount_unknown) == (2, 1)
    assert (gift.redeemed_amount, gift.rolled_back, gift.rolled_back_amount) == (
        Decimal(10),
        0,
        Decimal("2.5"),
    )
    summer = Figures(redeemed=1, redeemed_amount=Decimal(3), rolled_back=1, rolled_back_amount=Decimal(3))
    assert (await _reader(desk).of("summer")).days == {(SECOND, "EUR"): summer}
    assert [each.rule for each in await _reader(desk).all()] == ["gift", "summer"]


@pytest.mark.parametrize(
    ("event", "rule", "currency", "liability", "unbounded"),
    [
        ("started", "gift", "EUR", "10", 0),
        ("shared", "share", "USD", "7.5", 1),
        ("opened", "open", "", "0", 1),
        ("paid", "credit", "JPY", "20", 0),
    ],
)
async def test_the_liability_is_the_most_that_a_discount_can_cost(
    desk: Any, event: str, rule: str, currency: str, liability: str, unbounded: int
) -> None:
    await _issue(desk, event, "ann")
    totals = (await _reader(desk).of(rule)).totals()
    assert totals == {currency: Figures(issued=1, open=1, liability=Decimal(liability), unbounded=unbounded)}


async def test_the_liability_of_a_store_credit_is_its_remainder(desk: Any) -> None:
    [code] = await _issue(desk, "paid", "ann")
    held = await desk.store.discount(code)
    assert isinstance(held.discount.action, StoreCredit)
    action = replace(held.discount.action, left=Decimal(7))
    await _keep(desk, replace(held, discount=replace(held.discount, action=action)))
    assert (await _reader(desk).of("credit")).totals()["JPY"].liability == Decimal(7)


async def test_a_rule_that_issued_nothing_has_no_figures_and_an_unknown_one_is_not_found(desk: Any) -> None:
    assert await _reader(desk).of("quiet") == RuleFigures("quiet", {})
    assert await _reader(desk).all() == []
    with pytest.raises(NotFound):
        await _reader(desk).of("gifts")

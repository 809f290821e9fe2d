"""Pages of rules: the list by pages, one rule in full, and what a child process reads for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapter.errors import NotFound, Refused
from adapter.model.activity import ActivityCount, of_rule
from adapter.services.child.process import answer
from adapter.services.lift import LiftQuestion
from adapter.services.loaded_files import read_files
from adapter.services.read_timeout import ReadTimeout
from adapter.services.rule_pages.listing import PAGE, SPAN, RuleList, RuleReads
from adapter.services.rule_pages.measured import Measured
from adapter.services.rule_pages.one import RulePages
from adapter.web.in_force import InForce
from tests.core.conftest import NOON, Instance, event
from tests.core.dry_instance import running

MANY = "rules:\n" + "\n".join(
    f"  - name: rule-{number:03}\n    trigger: visit\n    description: the number {number}\n"
    "    action: {type: amount_off, value: 5}"
    for number in range(60)
)
RULES = """\
rules:
  - name: cart
    trigger: checkout_started
    conditions: {all: [cart_value >= 100, {any: [country == "DE", country == "AT"]}]}
    action: {type: percentage_off, value: 15, max_amount: 40, expires_in_hours: 24}
    guardrails: {max_daily_redemptions: 2, budget: {currency: EUR, total: 400}, stackable: true}
  - name: every-cart
    trigger: checkout_started
    action: {type: free_shipping}
    guardrails: {stackable: true}
"""


@pytest.fixture
async def core(tmp_path: Path) -> AsyncIterator[Instance]:
    """An instance on SQLite, whose files lie in `tmp_path`."""
    async with running(tmp_path) as instance:
        yield instance


class Pages:
    """Pages over an instance and its rules; `measured` reads by `ask`."""

    def __init__(self, core: Instance, tmp_path: Path, rules: str = RULES, ask: Any = None) -> None:
        (tmp_path / "rules" / "rules.yaml").write_text(rules)
        files = core.app.books
        files.rules = read_files(core.app.settings).rules
        self.measured = Measured(InForce.of(core.app.settings), lambda: NOON, ask or _nothing)
        reads = RuleReads(core.app.store, files, self.measured, lambda: NOON, ReadTimeout(10))
        self.list = RuleList(reads)
        self.one = RulePages(reads, self.list, lambda: core.app.settings.files)


async def _nothing(_request: Any) -> list[Any]:
    return []


async def test_a_reading_that_is_no_longer_kept_has_ended_when_the_server_has(core: Instance) -> None:
    going, gate, ended = asyncio.Event(), asyncio.Event(), list[Any]()

    async def ask(request: Any) -> Any:
        if request.question.rule != "rule-0":
            return []
        going.set()
        try:
            await asyncio.Event().wait()
        finally:
            await gate.wait()  # as a process that ends
            ended.append(request)

    measured = Measured(InForce.of(core.app.settings), lambda: NOON, ask)
    measured.lift(LiftQuestion(rule="rule-0"), begin=True)
    await going.wait()
    for number in range(1, 101):
        measured.lift(LiftQuestion(rule=f"rule-{number}"), begin=False)
    stopping = asyncio.create_task(measured.stop())
    for _ in range(20):
        await asyncio.sleep(0)
    assert not stopping.done()
    gate.set()
    await stopping
    assert len(ended) == 1


async def test_rules_come_by_pages_in_the_order_of_their_names(core: Instance, tmp_path: Path) -> None:
    pages = Pages(core, tmp_path, MANY)
    first = await pages.list.page()
    assert [row.name for row in first.rows] == [f"rule-{number:03}" for number in range(PAGE)]
    second = await pages.list.page(after=first.next)
    third = await pages.list.page(after=second.next)
    assert (third.rows[-1].name, third.next, third.known) == ("rule-059", "", 60)
    await pages.measured.stop()


async def test_a_search_finds_names_and_descriptions(core: Instance, tmp_path: Path) -> None:
    pages = Pages(core, tmp_path, MANY)
    assert [row.name for row in (await pages.list.page("RULE-04")).rows] == [
        f"rule-04{digit}" for digit in range(10)
    ]
    assert [row.name for row in (await pages.list.page("the number 17")).rows] == ["rule-017"]
    await pages.measured.stop()


async def test_a_row_says_what_a_rule_did_and_what_its_caps_have_left(core: Instance, tmp_path: Path) -> None:
    pages = Pages(core, tmp_path)
    await core.evaluate(event("e-1", "c-1", cart_value=150, country="DE", currency="EUR"))
    await core.app.store.add_activity(
        [
            ActivityCount(of_rule("cart", "triggered"), NOON - SPAN, 3),
            ActivityCount(of_rule("cart", "triggered"), NOON - timedelta(days=30), 99),
            ActivityCount(of_rule("cart", "withheld"), NOON - SPAN, 2),
        ]
    )
    [row, _] = (await pages.list.page()).rows
    assert (row.triggered, row.issued, row.withheld) == (3, 0, 2)
    assert (row.hits[-2:], sum(row.hits)) == ([3, 0], 3)
    assert [(cap.guardrail, cap.period, cap.used, cap.cap, cap.currency) for cap in row.caps] == [
        ("max_daily_redemptions", "today", Decimal(1), Decimal(2), ""),
        ("budget", "in all", Decimal(40), Decimal(400), "EUR"),
    ]
    assert row.sentence == (
        'When checkout_started happens, if cart_value >= 100 and (country == "DE") || (country == "AT"): '
        "15% off, at most 40, valid for 1d."
    )
    await pages.measured.stop()


@pytest.mark.process
async def test_figures_are_read_by_a_child_process_and_said_to_be_under_way_until_then(
    core: Instance, tmp_path: Path
) -> None:
    pages = Pages(core, tmp_path, ask=answer)
    await core.evaluate(event("e-1", "c-1", cart_value=150, country="DE", currency="EUR"))
    first = await pages.list.page()
    assert (first.figures_running, first.rows[0].sums) == (True, None)
    await pages.measured.ended()
    again = await pages.list.page()
    assert again.figures_at == NOON
    sums = again.rows[0].sums
    assert sums is not None
    assert (sums.issued, sums.open, sums.redeemed) == (1, 1, 0)
    assert [(each.amount, each.currency) for each in sums.liability] == [(Decimal(40), "EUR")]
    assert not again.figures_running


async def test_why_figures_could_not_be_read_is_said(core: Instance, tmp_path: Path) -> None:
    async def refuse(_request: Any) -> Any:
        raise Refused("the disk is full")

    pages = Pages(core, tmp_path, ask=refuse)
    await pages.list.page()
    await pages.measured.ended()
    assert (await pages.list.page()).figures_error == "the disk is full"
    await pages.measured.stop()


async def test_how_often_each_condition_held_is_counted_over_the_latest_decisions(
    core: Instance, tmp_path: Path
) -> None:
    pages = Pages(core, tmp_path)
    carts = [(150, "DE"), (150, "FR"), (50, "AT"), (120, "AT")]
    for number, (value, country) in enumerate(carts):
        await core.evaluate(event(f"e-{number}", f"c-{number}", cart_value=value, country=country))
    found = (await pages.one.page("cart")).decisions
    assert (found.searched, found.of_rule, found.judged) == (4, 4, 4)
    assert [(each.kind, each.condition, each.held, each.judged) for each in found.conditions] == [
        ("all", "", 2, 4),
        ("condition", "cart_value >= 100", 3, 4),
        ("any", "", 3, 4),
        ("condition", 'country == "DE"', 1, 4),
        ("condition", 'country == "AT"', 2, 4),
    ]
    assert found.outcomes == {"issued": 2, "not_met": 2}
    assert found.overlap == {"every-cart": 2}
    assert [each.source_id for each in found.recent] == ["c-3", "c-2", "c-1", "c-0"]


async def test_what_withheld_is_counted_by_guardrail(core: Instance, tmp_path: Path) -> None:
    pages = Pages(core, tmp_path)
    for number in range(5):
        await core.evaluate(event(f"e-{number}", f"c-{number}", cart_value=150, country="DE"))
    assert (await pages.one.page("cart")).decisions.withheld == {"max_daily_redemptions": 3}


async def test_a_page_shows_the_lines_of_the_rule_and_the_file_to_edit(
    core: Instance, tmp_path: Path
) -> None:
    page = await Pages(core, tmp_path).one.page("cart")
    assert (page.draft_file, page.rule.line) == ("rules.yaml", 2)
    assert [line.number for line in page.source] == [2, 3, 4, 5, 6]
    assert "every-cart" not in page.source[-1].text


@pytest.mark.process
async def test_lift_is_measured_when_it_is_asked_for(core: Instance, tmp_path: Path) -> None:
    pages = Pages(core, tmp_path, ask=answer)
    await core.evaluate(event("e-1", "c-1", cart_value=150, country="DE"))
    before = await pages.one.page("cart")
    assert (before.lift, before.lift_running) == (None, False)
    pages.one.measure_lift("cart")
    assert (await pages.one.page("cart")).lift_running
    await pages.measured.ended()
    after = await pages.one.page("cart")
    assert after.lift is not None
    assert (after.lift.customers, after.lift.control, after.lift.low) == (1, 0, None)


async def test_a_rule_that_is_not_in_force_has_no_page(core: Instance, tmp_path: Path) -> None:
    pages = Pages(core, tmp_path)
    with pytest.raises(NotFound):
        await pages.one.page("nobody")
    with pytest.raises(NotFound):
        pages.one.measure_lift("nobody")


async def test_a_group_is_judged_by_what_is_known_of_its_parts(core: Instance, tmp_path: Path) -> None:
    asking = RULES.replace(
        'conditions: {all: [cart_value >= 100, {any: [country == "DE", country == "AT"]}]}',
        "conditions: {all: [cart_value >= 100, 'history.count(\"order_completed\") >= 1']}",
    )
    pages = Pages(core, tmp_path, asking)
    await core.evaluate(event("e-1", "c-1", cart_value=50), event("e-2", "c-2", cart_value=150))
    found = (await pages.one.page("cart")).decisions.conditions
    assert [(each.kind, each.held, each.judged) for each in found[:2]] == [("all", 0, 2), ("condition", 1, 2)]

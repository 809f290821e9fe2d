"""Shares of customers: stable, fair, and independent of each other."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from adapter.model.customers import Customer
from adapter.model.events import Event
from adapter.model.rules import Variant
from adapter.rules.engine.issue import issue
from adapter.rules.engine.ruleset import load
from adapter.rules.guardrails.rollout import controlled, variant_of, within
from tests.rules.one_event import decide

CUSTOMERS = [f"user_{number}" for number in range(20_000)]


def share(percent: int, rule: str = "ten", purpose: str = "percent") -> set[str]:
    return {customer for customer in CUSTOMERS if within(Decimal(percent), rule, customer, purpose)}


def test_a_share_has_about_as_many_customers_as_it_says() -> None:
    for percent in (1, 10, 50, 90):
        expected = len(CUSTOMERS) * percent / 100
        spread = 5 * (expected * (1 - percent / 100)) ** 0.5  # five standard deviations
        assert abs(len(share(percent)) - expected) < spread


def test_a_share_that_grows_keeps_its_customers() -> None:
    assert share(5) < share(6) < share(50)


def test_shares_of_two_rules_and_of_two_purposes_have_nothing_to_do_with_each_other() -> None:
    for other in (share(50, "twenty"), share(50, purpose="control")):
        assert abs(len(share(50) & other) - len(CUSTOMERS) / 4) < 5 * (len(CUSTOMERS) * 3 / 16) ** 0.5


@given(st.text(), st.text())
def test_a_rollout_of_0_or_100_percent_is_no_or_every_customer(rule: str, customer: str) -> None:
    assert within(Decimal(100), rule, customer, "percent")
    assert not within(Decimal(0), rule, customer, "percent")
    assert not controlled(Decimal(0), rule, customer)
    assert controlled(Decimal(100), rule, customer)


def test_a_customers_place_never_changes() -> None:
    assert [within(Decimal(50), "ten", f"user_{number}", "percent") for number in range(8)] == [
        True, True, False, True, True, True, True, True,
    ]  # fmt: skip


def test_variants_have_about_their_shares_whatever_the_control_group() -> None:
    shares = {"A": 10, "B": 30, "C": 60}
    variants = [Variant(name=name, share=Decimal(share)) for name, share in shares.items()]
    held_out = share(50, purpose="control")
    for part in (set(CUSTOMERS) - held_out, held_out):
        got = [variants[variant_of(variants, "ten", customer)].name for customer in part]
        for name, percent in shares.items():
            expected = len(part) * percent / 100
            assert abs(got.count(name) - expected) < 5 * (expected * (1 - percent / 100)) ** 0.5


VARIANTS = """
name: ten
trigger: checkout_started
variants:
  - share: 50
    action: {type: percentage_off, value: 10, max_amount: 5, code_prefix: TEN-}
  - name: money
    share: 50
    actions:
      - {type: amount_off, value: shipping, max_value: 9, expires_in_hours: 1}
      - {type: unit_off, value: 2, unit_type: minutes}
guardrails: {budget: {currency: EUR, total: 100}}
rollout: {control: 10}
"""


def test_each_variant_has_its_code_its_end_its_values_and_its_cost(
    tmp_path: Path, make_event: Callable[..., Event]
) -> None:
    (tmp_path / "rules.yaml").write_text(VARIANTS.replace("shipping, max_value: 9", "9"))
    assert [each.severity for each in load(tmp_path)[1]] == ["error"]  # nothing bounds the minutes
    (tmp_path / "rules.yaml").write_text(VARIANTS.replace("total: 100", "total: 100, per_discount: 9"))
    book, problems = load(tmp_path)
    assert book is not None
    assert not problems
    event = make_event(attributes={"cart_value": 150, "shipping": 4, "currency": "EUR"})
    found: dict[str, set[object]] = {}
    for number in range(100):
        verdict = decide(book, event, Customer(f"user_{number}"))
        assert verdict == decide(book, event, Customer(f"user_{number}"))
        for proposal in verdict.proposals:
            held = issue(proposal, event, "ann", "X", event.occurred_at)
            values = tuple(str(each.action.value) for each in held.discount.benefits)  # type: ignore[union-attr]
            ends = held.discount.expires_at is not None
            cost = [claim.amount for claim in held.claims]
            variant = str(held.discount.metadata["variant"])
            found.setdefault(variant, set()).add((values, ends, proposal.rule.code_prefix, tuple(cost)))
    assert found == {
        "A": {(("10",), False, "TEN-", (900,))},
        "money": {(("4", "2"), True, "", (400, 500))},
    }

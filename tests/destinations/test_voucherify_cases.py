"""The cases of `cases/voucherify.jsonl`, against stubs that answer as each case says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from msgspec import UNSET

from adapter.destinations.contract import Attempt
from adapter.destinations.transport import Answer
from adapter.model.actions import AmountOff, PercentageOff
from adapter.model.discounts import Discount
from adapter.model.events import Event, User
from adapter.model.forwards import ForwardedCustomer, ForwardedEvent
from tests.destinations.voucherify_project import (
    LOST,
    NOW,
    Project,
    delivery,
    destination,
    rendered,
    says,
)

LINES = (Path(__file__).parent / "cases" / "voucherify.jsonl").read_text(encoding="utf-8").splitlines()
CASES: dict[str, dict[str, Any]] = {case["id"]: case for case in map(json.loads, LINES)}
PUBLISH = ("POST", "/v1/publications")


def discount(action: Any = PercentageOff(Decimal(10))) -> Discount:  # noqa: B008 - it is frozen
    told = {"rule": "r", "issued_for_event_id": "e-1", "user_id": "c-1"}
    return Discount("SAVE-1", action, None, told, False, "issued")


async def issued(project: Project, what: Discount | None = None) -> Attempt:
    to = destination(project)
    [attempt] = await to.send([rendered(to, delivery("discount.issued", what or discount()))], NOW)
    return attempt


def answer(case: dict[str, Any]) -> Answer:
    body = {name: case[name] for name in ("key", "details") if name in case}
    headers = {name.lower(): value for name, value in case.get("headers", {}).items()}
    return says(case["status"], body, headers)


@pytest.mark.parametrize("variant", ["ours", "another", "none"])
async def test_d23_a_repeated_creation_is_success_only_if_the_voucher_is_ours(variant: str) -> None:
    project = Project()
    project.after["POST", "/v1/vouchers/SAVE-1"] = [LOST]
    assert not (await issued(project)).ok
    if variant != "ours":
        project.vouchers["SAVE-1"]["metadata"] = {"discount_id": "dis-2"} if variant == "another" else {}
    attempt = await issued(project)
    outcome = CASES["D23"]["outcome"]
    if variant == "ours":
        assert attempt.ok
        assert len(project.publications) == 1
    else:
        assert attempt.final
        assert attempt.error is not None
        assert attempt.error in outcome["other"]
        assert not project.publications


@pytest.mark.parametrize("case", CASES["D24"]["input"]["answers"], ids=lambda case: case.get("key", "200"))
@pytest.mark.parametrize("by", ["c-1", "c-2"])
async def test_d24_publishing_again(case: dict[str, Any], by: str) -> None:
    project = Project()
    request = CASES["D24"]["input"]["request"]["body"]
    kept = {**request, "voucher": {"code": request["voucher"]}, "customer": {"source_id": by}}
    project.publications = [kept]
    project.before[PUBLISH] = [answer(case)]
    attempt = await issued(project)
    sent = next(body for method, path, body in project.calls if (method, path) == PUBLISH)
    assert sent | {"metadata": 0} == request | {"metadata": 0}
    looked_up = case.get("key") in ("duplicate_source_id", "voucher_already_published")
    assert attempt.ok is (case["status"] == 200 or (looked_up and by == "c-1"))
    assert attempt.final is not attempt.ok
    if case.get("details"):
        assert "one code a customer" in (attempt.error or "")


@pytest.mark.parametrize("at", range(3))
async def test_d25_a_used_up_quota_pauses_and_burns_no_attempt(at: int) -> None:
    case = CASES["D25"]["input"]["answers"][at]
    project, now = Project(), datetime(2025, 12, 31, 23, 59, 30, tzinfo=UTC)
    project.before["POST", "/v1/vouchers/SAVE-1"] = [answer(case)]
    to = destination(project)
    [attempt] = await to.send([rendered(to, delivery("discount.issued", discount()))], now)
    assert not attempt.counted
    assert not attempt.final
    assert attempt.retry_after is not None
    retry = case.get("headers", {}).get("X-Rate-Limit-Retry")
    if retry is not None:
        assert now + attempt.retry_after == datetime.fromtimestamp(int(retry), UTC)
    if at:
        assert "monthly quota of Voucherify used up" in (attempt.error or "")
    if at == 1:
        assert "until 2026-02-01" in (attempt.error or "")


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (AmountOff(Decimal("10.00"), currency="EUR"), {"amount_off": 1000}),
        (AmountOff(Decimal(500), currency="JPY"), {"amount_off": 50000}),
        (AmountOff(Decimal("1.250"), currency="KWD"), {"amount_off": 125}),
        (AmountOff(Decimal("1.255"), currency="KWD"), None),
        (PercentageOff(Decimal("12.5"), max_amount=Decimal(40), currency="USD"),
         {"percent_off": 12.5, "amount_limit": 4000}),
    ],
)  # fmt: skip
async def test_d26_amounts_are_times_100_whatever_the_currency(
    action: Any, expected: dict[str, Any] | None
) -> None:
    project = Project()
    attempt = await issued(project, discount(action))
    if expected is None:
        assert attempt.final
        assert not project.calls
        return
    assert attempt.ok
    sent = project.calls[0][2]["discount"]
    assert {name: sent[name] for name in expected} == expected
    told = " ".join(CASES["D26"]["outcome"]["body"])
    assert all(f"{name} {value}" in told for name, value in expected.items())


@pytest.mark.parametrize("source_id", CASES["D28"]["input"]["customers"])
async def test_d28_customers_are_upserted_under_their_source_id(source_id: str) -> None:
    project = Project()
    to = destination(project)
    upsert = delivery("customer.updated", ForwardedCustomer(source_id, name="Ann"))
    [attempt] = await to.send([rendered(to, upsert)], NOW)
    assert attempt.ok
    assert project.calls == [("POST", "/v1/customers", {"source_id": source_id, "name": "Ann"})]
    await to.erase(source_id, (), NOW)
    path = project.calls[-1][1].split("/")[3]
    assert "/" not in path
    assert unquote(path) == source_id
    if source_id == "u 1/é":
        assert f"/v1/customers/{path}" in CASES["D28"]["input"]["calls"]


@pytest.mark.parametrize("once", [False, True])
async def test_d29_an_event_whose_answer_was_lost(once: bool) -> None:
    project = Project()
    project.after["POST", "/v1/events"] = [LOST]
    to = destination(project, event_delivery="at_most_once" if once else "at_least_once")
    event = Event("e-7", "order_completed", NOW - timedelta(hours=1), User("c-1"), {}, {})
    what = rendered(to, delivery("event.occurred", ForwardedEvent("c-1", event)))
    [first] = await to.send([what], NOW)
    assert not first.ok
    assert first.final is once
    if not once:
        [again] = await to.send([what], NOW)
        assert again.ok
        assert [each["metadata"]["event_id"] for each in project.events] == ["e-7", "e-7"]
        assert project.events[0]["metadata"]["occurred_at"] == "2025-12-31T23:00:00Z"
    assert what.rendered is not UNSET

"""`adapter explain`: what was decided for a customer, in sentences."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from adapter import app
from adapter.cli.main import commands
from adapter.settings.fields import build

ROOT = Path(__file__).parents[2]
ORDERS = """\
source: segment
mappings:
  - name: Orders
    subscribe: type = "track" and event = "Order Completed"
    action: event
    fields: {source_id: {"@path": $.userId}, name: order_completed}
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the url of a store in which two checkouts of one customer were decided."""
    url = f"sqlite:///{tmp_path_factory.mktemp('store') / 'adapter.db'}"
    asyncio.run(_checkouts(url))
    return url


async def _checkouts(url: str, rules: Path = ROOT / "rules") -> list[Any]:
    """Return what the API says of the first."""
    composed = app.compose(build({
        ("files", "mappings"): str(ROOT / "mappings"), ("files", "rules"): str(rules),
        ("store", "url"): url,
    }))  # fmt: skip
    transport = httpx.ASGITransport(composed.asgi)
    async with (
        composed.running(),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
    ):
        for at, value in enumerate((50, 200)):
            properties = {"value": value, "currency": "USD", "shipping_country": "US"}
            call = {"type": "track", "event": "Checkout Started", "userId": "u", "messageId": f"m-{at}"}
            await client.post("/webhooks/segment", json=call | {"properties": properties})
        answer = await client.get("/v1/decisions", params={"source_id": "u", "event_id": "m-0"})
        return list(answer.json()["decisions"])


def run(store: str, *arguments: str) -> Result:
    return CliRunner().invoke(commands, ["explain", "--store", store, *arguments])


def test_each_rule_has_a_sentence_newest_decision_first(store: str) -> None:
    lines = run(store, "u").stdout.splitlines()
    assert lines[0].startswith("checkout_started of u (m-1), decided at ")
    assert any(line.startswith("  high-value-cart-first-purchase: issued HV15-") for line in lines)
    assert any("cart_value is 50, needs at least 120" in line for line in lines)


def test_one_event_can_be_asked_for(store: str) -> None:
    [decision] = json.loads(run(store, "u", "--event", "m-0", "--json").stdout)["decisions"]
    assert decision["event_id"] == "m-0"
    assert len(json.loads(run(store, "u", "--limit", "1", "--json").stdout)["decisions"]) == 1


def test_what_was_missing_is_said_for_comparisons_with_numbers(store: str) -> None:
    lines = run(store, "u", "--event", "m-0").stdout.splitlines()
    said = "cart_value is 50, needs 120: 70 more"
    assert any(line.startswith("  missing for ") and said in line for line in lines)
    found = json.loads(run(store, "u", "--json").stdout)["near_misses"]
    # The second checkout has the value.
    told = {(each["event_id"], miss["sentence"]) for each in found for miss in each["missing"]}
    assert ("m-0", said) in told
    assert all("cart_value" not in sentence for event, sentence in told if event == "m-1")


def test_nothing_known_ends_with_1(store: str) -> None:
    result = run(store, "nobody")
    assert (result.exit_code, result.stderr) == (1, "adapter: nothing was decided for `nobody`\n")


def test_of_many_rules_every_one_has_its_sentence(tmp_path: Path) -> None:
    one = "- {{name: r{0:02}, trigger: checkout_started, conditions: [cart_value > {0}00], {1}}}\n"
    action = "action: {type: free_shipping}"
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "many.yaml").write_text("rules:\n" + "".join(one.format(at, action) for at in range(1, 31)))
    url = f"sqlite:///{tmp_path / 'adapter.db'}"
    [decision] = asyncio.run(_checkouts(url, rules))
    told = {outcome["rule"]: outcome["reason"] for outcome in decision["outcomes"]}
    assert "untold" not in decision
    assert told == {
        f"r{at:02}": f"not issued: cart_value is 50, needs more than {at}00" for at in range(1, 31)
    }
    lines = run(url, "u", "--event", "m-0", "--rules", str(rules)).stdout.splitlines()
    missing = [line for line in lines if line.startswith("  missing for ")]
    assert len(missing) == 10
    lines = [line for line in lines if line not in missing]
    assert len(lines) == 31
    assert lines[30] == "  r30: not issued: cart_value is 50, needs more than 3000"
    (rules / "many.yaml").write_text("rules:\n" + one.format(1, action))
    lines = run(url, "u", "--event", "m-0", "--rules", str(rules)).stdout.splitlines()
    assert lines[11:] == ["  and 20 more rules, whose conditions do not hold"]


def test_quarantined_and_ignored_messages_are_explained_too(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'adapter.db'}"
    mappings = tmp_path / "mappings"
    mappings.mkdir()
    (mappings / "shop.yaml").write_text(ORDERS)
    asyncio.run(_unheard(url, mappings))
    result = run(url, "v")
    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert lines[0].startswith("message bad:track of segment, received at ")
    assert lines[1].startswith("  waits in quarantine (1): ")
    assert lines[3] == "no mapping takes, of all customers:"
    assert lines[4].startswith("  segment track `Cart Whistled`: once, last at ")
    known = json.loads(run(url, "v", "--json").stdout)
    assert known["decisions"] == []
    assert [each["whole"] for each in known["quarantined"]] == ["/v1/quarantine/1"]
    assert [each["event"] for each in known["ignored"]] == ["Cart Whistled"]


async def _unheard(url: str, mappings: Path) -> None:
    rules = ROOT / "rules"
    composed = app.compose(build({
        ("files", "mappings"): str(mappings), ("files", "rules"): str(rules), ("store", "url"): url,
    }))  # fmt: skip
    transport = httpx.ASGITransport(composed.asgi)
    async with (
        composed.running(),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
    ):
        for call in (
            {"type": "track", "event": "Order Completed", "messageId": "bad", "userId": {"id": "v"}},
            {"type": "track", "event": "Cart Whistled", "messageId": "m", "userId": "v"},
        ):
            await client.post("/webhooks/segment", json=call)

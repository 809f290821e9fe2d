"""`POST /v1/dry-runs`: what a payload or operations would come to, and nothing is stored."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core import dry_instance
from tests.core.conftest import NOON, Instance, MakeInstance, event
from tests.length import length

DRAFT = """\
name: cart
trigger: checkout_started
conditions: {all: [cart_value >= 120, 'history.count("order_completed") >= 3']}
action: {type: percentage_off, value: 20}
"""


@pytest.fixture
async def core(instance: MakeInstance, tmp_path: Path) -> Instance:
    """The instance that decides, on SQLite; the first test runs on both engines."""
    return await instance(f"sqlite:///{tmp_path / 'core.db'}")


async def dry(core: Instance, **body: Any) -> dict[str, Any]:
    response = await core.call("/v1/dry-runs", body)
    assert response.status_code == 200, response.text
    return dict(response.json())


async def test_operations_say_what_each_rule_would_do_and_nothing_is_stored(
    instance: MakeInstance, store_url: str
) -> None:
    core = await instance(store_url)
    found = await dry(core, operations=[event("o-1", "c-1", cart_value=150)])
    [result] = found["results"]
    [rule] = result["decisions"][0]["rules"]
    assert (result["outcome"], rule["outcome"]) == ("processed", "issued")
    assert rule["conditions"] == [{"condition": "cart_value >= 100", "holds": True}]
    assert rule["discount"]["action"]["value"] == 15
    assert rule["discount"]["code"] == "XXXXXXXX"
    assert [each["code"] for each in result["discounts"]] == ["XXXXXXXX"]
    assert await core.app.store.customer("c-1") is None
    assert not await core.app.store.events("c-1")
    [real] = await core.evaluate(event("o-1", "c-1", cart_value=150))
    assert real["outcome"] == "processed"


async def test_discounts_of_several_transactions_have_codes_of_their_own(core: Instance) -> None:
    asked = [event(f"o-{n}", f"c-{n}", cart_value=150) for n in range(6)]
    erasures = [_operation(f"e-{n}", ("erase", "z"), "x") for n in range(6)]
    parted = [each for pair in zip(asked, erasures, strict=True) for each in pair]
    found = await dry(core, operations=parted)
    codes = [each["code"] for result in found["results"] for each in result.get("discounts", [])]
    assert len(codes) == len(set(codes)) == 6
    assert set("".join(codes)) == {"X"}


async def test_near_misses_say_how_much_is_missing(core: Instance) -> None:
    found = await dry(core, operations=[event("o-1", "c-1", cart_value=87.5)])
    [rule] = found["results"][0]["decisions"][0]["rules"]
    assert rule["outcome"] == "not_met"
    [condition] = rule["conditions"]
    assert (condition["holds"], condition["reason"]) == (False, "cart_value is 87.50, needs at least 100")
    [missing] = rule["missing"]
    assert missing["sentence"] == "cart_value is 87.50, needs 100: 12.50 more"
    assert missing["shortfall"]["missing"] in (12.5, "12.5")


async def test_a_payload_is_mapped_and_its_fields_are_explained(core: Instance) -> None:
    payload = {
        "type": "track", "event": "Checkout Started", "userId": "c-1", "messageId": "m-1",
        "properties": {"cart_value": 150}, "timestamp": "2026-03-01T11:59:00Z",
    }  # fmt: skip
    unknown = {"type": "page", "userId": "c-1", "messageId": "m-2"}
    found = await dry(core, payload={"batch": [payload, unknown]}, explain=True)
    first, second = found["results"]
    [operation] = first["operations"]
    assert (operation["action"], operation["event"]["name"]) == ("event", "checkout_started")
    assert operation["event"]["attributes"] == {"cart_value": 150}
    assert any(each["matched"] for each in first["mapping"]["mappings"])
    assert [each["outcome"] for each in first["decisions"][0]["rules"]] == ["issued"]
    assert second["outcome"] == "ignored"


async def test_draft_rules_take_the_place_of_those_of_their_names(core: Instance) -> None:
    asked = {"operations": [event("o-1", "c-1", cart_value=107.5)], "rules": {"draft.yaml": DRAFT}}
    await core.evaluate(*[event(f"p-{n}", "c-1", "order_completed") for n in range(2)])
    [rule] = (await dry(core, **asked))["results"][0]["decisions"][0]["rules"]
    assert [each["sentence"] for each in rule["missing"]] == [
        "cart_value is 107.50, needs 120: 12.50 more",
        "number of order_completed is 2, needs 3: 1 more",
    ]
    # The rules in force are as they were.
    [rule] = (await dry(core, operations=asked["operations"]))["results"][0]["decisions"][0]["rules"]
    assert rule["outcome"] == "issued"


async def test_draft_mappings_are_used(core: Instance) -> None:
    mapping = """\
source: segment
mappings:
  - name: Pages
    subscribe: type = "page"
    action: event
    fields: {source_id: {"@path": $.userId}, name: checkout_started, attributes: {cart_value: 500}}
"""
    page = {"type": "page", "userId": "c-1", "messageId": "m-2", "timestamp": "2026-03-01T11:59:00Z"}
    found = await dry(core, payload=page, mappings={"mappings.yaml": mapping})
    assert [each["outcome"] for each in found["results"][0]["decisions"][0]["rules"]] == ["issued"]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({}, 400, "either `payload` or `operations`"),
        ({"payload": {}, "operations": []}, 400, "either"),
        ({"operations": 1}, 400, "not a list"),
        ({"operations": [], "now": "2026-03-01T12:00:00"}, 400, "time zone"),
        ({"operations": [], "now": "0001-01-01T00:00:00+14:00"}, 400, "years"),
        ({"operations": [], "now": "9999-12-31T23:59:59Z"}, 400, "years"),
        ({"payload": {}, "source": "x"}, 400, "segment"),
        ({"operations": [], "rules": {"../x.yaml": ""}}, 422, "is not the name"),
        ({"operations": [], "rules": {"x.yaml": "name: x\ntrigger: y\n"}}, 422, "rules/x.yaml:1:1"),
    ],
)
async def test_what_cannot_be_run_is_refused(core: Instance, body: Any, status: int, said: str) -> None:
    response = await core.call("/v1/dry-runs", body)
    assert response.status_code == status, response.text
    assert said in response.json()["error"]["message"]
    assert "adapter-drafts-" not in response.text


async def test_a_change_of_a_trait_that_triggers_a_rule_is_decided(core: Instance) -> None:
    draft = "name: gold\ntrigger: {trait: tier, to: gold}\naction: {type: percentage_off, value: 20}\n"
    basic, gold = (
        {"id": f"u-{tier}", "action": "customer.upsert", "source_id": "c-1", "traits": {"tier": tier}}
        for tier in ("basic", "gold")
    )
    found = await dry(core, operations=[basic, gold], rules={"gold.yaml": draft})
    assert [len(each.get("decisions", [])) for each in found["results"]] == [0, 1]
    [rule] = found["results"][1]["decisions"][0]["rules"]
    assert (rule["rule"], rule["outcome"]) == ("gold", "issued")
    assert await core.app.store.customer("c-1") is None


async def test_the_time_may_be_given(core: Instance) -> None:
    """What is later than the time by which events are rewarded is history."""
    asked = [event("o-1", "c-1", cart_value=150)]
    late = (NOON + timedelta(days=9)).isoformat()
    [result] = (await dry(core, operations=asked, now=late))["results"]
    assert result["decisions"][0]["reason"].startswith("not rewarded")
    assert (await dry(core, operations=asked))["results"][0]["discounts"]


async def test_a_code_of_a_pool_is_not_shown(core: Instance) -> None:
    await core.app.store.add_pool_codes("gifts", ["REAL-ONE"], NOON)
    action = "{type: percentage_off, value: 20, code_pool: gifts}"
    draft = f"name: gift\ntrigger: checkout_started\naction: {action}\n"
    asked = {"operations": [event("o-1", "c-1", cart_value=1)], "rules": {"gift.yaml": draft}}
    text = (await core.call("/v1/dry-runs", asked)).text
    assert '"issued"' in text
    assert "REAL-ONE" not in text
    assert [(each.left, each.drawn) for each in await core.app.store.pools()] == [(1, 0)]


_MESSAGES = st.lists(
    st.one_of(
        st.tuples(st.just("event"), st.sampled_from("abc"), st.integers(0, 4), st.integers(80, 130)),
        st.tuples(st.just("merge"), st.sampled_from("abc"), st.sampled_from("abc")),
        st.tuples(st.just("erase"), st.sampled_from("abc")),
    ),
    min_size=1,
    max_size=5,
)


def _operation(at: str, said: tuple[Any, ...], example: str) -> dict[str, Any]:
    """Return an operation on customers of one example alone."""
    kind, who, *rest = said
    who = f"{example}-{who}"
    if kind == "event":
        document = event(f"e-{rest[0]}", who, cart_value=rest[1])
        return {**document, "id": at, "event": {**document["event"], "id": f"e-{rest[0]}"}}
    if kind == "merge":
        return {"id": at, "action": "customer.merge", "source_id": who, "previous_id": f"{example}-{rest[0]}"}
    return {"id": at, "action": "customer.erase", "source_id": who}


def _said(result: dict[str, Any]) -> Any:
    """Return what a result says apart from codes and the sentences that have them.

    What was decided the first time, which evaluation adds to what comes again, is left out.
    """
    rules = [
        (each["event_id"], sorted((rule["rule"], rule["outcome"], rule.get("guardrail")) for rule in found))
        for each in result.get("decisions", [])
        if (found := each.get("rules", each.get("outcomes", []))) is not None
    ]
    discounts = [
        {name: value for name, value in each.items() if name != "code"}
        for each in result.get("discounts", [])
    ]
    return result["outcome"], [] if result["outcome"] == "duplicate" else rules, discounts


@pytest.mark.slow
def test_a_dry_run_and_the_real_run_say_the_same(tmp_path: Path) -> None:
    """Property: whatever came before, in the store or in the request; and a dry run stores nothing."""
    examples = count()
    with asyncio.Runner() as runner, ExitStack() as stack:
        running = dry_instance.running(tmp_path)
        core = runner.run(running.__aenter__())
        stack.callback(lambda: runner.run(running.__aexit__(None, None, None)))

        @given(st.lists(_MESSAGES, min_size=1, max_size=length(3, 6)))
        def holds(requests: list[list[tuple[Any, ...]]]) -> None:
            runner.run(_same(core, requests, f"x{next(examples)}", tmp_path))

        holds()


async def _same(core: Instance, requests: list[list[tuple[Any, ...]]], example: str, folder: Path) -> None:
    for nth, said in enumerate(requests):
        operations = [_operation(f"{example}-{nth}-{at}", each, example) for at, each in enumerate(said)]
        before = _rows(folder)
        tried = await dry(core, operations=operations)
        assert _rows(folder) == before
        real = await core.evaluate(*operations)
        assert list(map(_said, tried["results"])) == list(map(_said, real))


def _rows(folder: Path) -> dict[str, int]:
    """Return the rows of each table."""
    connection = apsw.Connection(str(folder / "core.db"), flags=apsw.SQLITE_OPEN_READONLY)
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    counted = {name: next(connection.execute(f'SELECT count(*) FROM "{name}"'))[0] for name in tables}
    connection.close()
    return counted

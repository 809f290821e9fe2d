"""The API of deliveries: lists, retries, pauses, and a test push."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from adapter.model.deliveries import Selection

Connect = Callable[..., httpx.AsyncClient]
AT = "2026-11-21T12:00:00Z"
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


async def test_deliveries_are_listed_with_their_attempts_and_without_their_body(connect: Connect) -> None:
    page = (await connect().get("/v1/deliveries?status=dead")).json()
    [found] = page["deliveries"]
    assert (found["id"], found["attempts"], "body" in found, page["next"]) == ("d1", 1, False, "7")
    [attempt] = found["history"]
    assert (attempt["status"], attempt["error"], attempt["answer"]) == (500, "answered 500", "oh no")


async def test_all_that_selects_deliveries_is_passed_on(connect: Connect, services: Any) -> None:
    query = f"destination=webhook&type=discount.issued&error=500&since={AT}&until={AT}&id=a,b"
    selection = Selection(
        ids=("a", "b"), destination="webhook", type="discount.issued", error="500", since=NOON, until=NOON
    )
    await connect().get(f"/v1/deliveries?{query}&after=7")
    assert services.deliveries.asked == ("due", selection, "7")
    await connect().post(f"/v1/deliveries/retries?{query}&status=dead")
    assert services.deliveries.asked == (selection, ("dead",))
    await connect().post(f"/v1/deliveries/retries?{query}")
    assert services.deliveries.asked == (selection, ("dead", "due"))


@pytest.mark.parametrize(
    "query", ["status=sent", "after=x", "since=yesterday", "until=2026-11-21T12:00:00", "after=" + "9" * 19]
)
async def test_a_query_that_cannot_be_read_is_refused(query: str, connect: Connect) -> None:
    response = await connect().get(f"/v1/deliveries?{query}")
    assert (response.status_code, response.json()["error"]["code"]) == (400, "unreadable")


async def test_a_pause_is_ended_by_the_name_of_its_destination(connect: Connect) -> None:
    done = (await connect().post("/v1/deliveries/resumptions?destination=webhook")).json()
    assert done["resumed"][0] == {
        "destination": "webhook", "since": "2024-07-15T18:24:10Z", "until": "2024-07-15T19:24:10Z",
        "reason": "answered 410", "kind": "pause",
    }  # fmt: skip


async def test_a_test_push_returns_what_the_destination_answers(connect: Connect) -> None:
    pushed = (await connect().post("/v1/deliveries/tests?destination=webhook")).json()
    assert pushed == {"ok": False, "status": 500, "error": "answered 500", "answer": "oh no"}


@pytest.mark.parametrize("call", ["resumptions", "tests"])
@pytest.mark.parametrize(("query", "status"), [("", 400), ("?destination=", 400), ("?destination=crm", 404)])
async def test_a_destination_must_be_named_and_known(
    call: str, query: str, status: int, connect: Connect
) -> None:
    assert (await connect().post(f"/v1/deliveries/{call}{query}")).status_code == status

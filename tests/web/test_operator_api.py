"""The operator API: unmapped and quarantined messages."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

Connect = Callable[..., httpx.AsyncClient]
CODE = "HV15-8K2F"


async def test_unmapped_messages_are_listed(connect: Connect) -> None:
    [ignored] = (await connect().get("/v1/ignored")).json()["ignored"]
    assert (ignored["type"], ignored["event"], ignored["count"]) == ("track", "Product Viewed", 3)


async def test_the_quarantine_lists_messages_with_reasons(connect: Connect) -> None:
    latest, _ = (await connect().get("/v1/quarantine")).json()["quarantined"]
    assert latest == {
        "source": "segment", "key": "m", "document": {"userId": "u"}, "reason": "no name",
        "received_at": "2024-07-15T18:24:10Z", "id": 8, "replayed": False, "size": 14, "truncated": False,
        "whole": "/v1/quarantine/8",
    }  # fmt: skip


async def test_a_quarantined_message_is_read_completely_by_its_id(connect: Connect) -> None:
    [entry, _] = (await connect().get("/v1/quarantine")).json()["quarantined"]
    whole = (await connect().get(entry["whole"])).json()
    assert (whole["id"], whole["document"]) == (8, {"userId": "u"})


@pytest.mark.parametrize("id_", ["9", "x", "9" * 19, "-1"])
async def test_an_unknown_quarantined_message_is_not_found(id_: str, connect: Connect) -> None:
    response = await connect().get(f"/v1/quarantine/{id_}")
    assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")


async def test_the_quarantine_is_paged_by_before(connect: Connect) -> None:
    [older] = (await connect().get("/v1/quarantine?before=8")).json()["quarantined"]
    assert older["id"] == 7


@pytest.mark.parametrize("before", ["", "-1", "m1", "1e3", "\u0661", "9" * 19])
async def test_before_must_be_the_id_of_a_quarantined_message(before: str, connect: Connect) -> None:
    response = await connect().get("/v1/quarantine", params={"before": before})
    assert (response.status_code, response.json()["error"]["code"]) == (400, "unreadable")


async def test_quarantined_messages_are_deleted_with_a_reason(connect: Connect) -> None:
    path = "/v1/quarantine/removals"
    done = await connect().post(path, json={"ids": [7, 8], "reason": "old app", "dry_run": True})
    assert done.json() == {"removed": 2, "reasons": {"old app": 2}, "dry_run": True}
    for wrong in ({"ids": [7]}, {"reason": "all of it"}, {"reason": "x", "before": "2026-01-01T00:00:00"}):
        assert (await connect().post(path, json=wrong)).status_code == 400

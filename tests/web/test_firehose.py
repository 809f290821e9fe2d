"""mParticle's Firehose gets the response that it expects, after its memberships are committed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

Connect = Callable[..., httpx.AsyncClient]
PATH = "/webhooks/mparticle/firehose"
DEMAND = {"type": "dsr_processing_request", "id": "d", "subject_request_type": "erasure",
          "subject_identities": {"email": {"value": "jane@example.com", "encoding": "raw"}}}  # fmt: skip
HEARTBEAT = {"type": "audience_membership_change_request", "id": "beat-1", "timestamp_ms": 1721067850000}


def membership(**audience: Any) -> dict[str, Any]:
    profile = {"mpid": "5", "audiences": [{"audience_id": 1, "audience_name": "vip", **audience}]}
    return HEARTBEAT | {"id": "change-1", "user_profiles": [profile]}


@pytest.mark.parametrize(
    ("kind", "more"),
    [("audience_membership_change", {}), ("event_processing", {}), ("event_processing", {"events": []})],
)
async def test_a_heartbeat_is_answered_under_its_id_and_has_no_events(
    connect: Connect, services: Any, kind: str, more: dict[str, Any]
) -> None:
    response = await connect().post(PATH, json={**HEARTBEAT, "type": f"{kind}_request", **more})
    assert response.status_code == 200
    body = response.json()
    assert (body["type"], body["id"]) == (f"{kind}_response", "beat-1")
    assert not any(decoded.messages or decoded.quarantined for decoded in services.taken)


async def test_a_membership_is_one_message_with_its_action(connect: Connect, services: Any) -> None:
    await connect().post(PATH, json=membership(action="Add"))
    [decoded] = services.taken
    [message] = decoded.messages
    assert (message.document["type"], message.document["event"]) == ("audience", "add")
    assert message.document["properties"]["audience_name"] == "vip"


@pytest.mark.parametrize(
    "body",
    [membership(), membership(action=5), HEARTBEAT | {"user_profiles": [7]},
     HEARTBEAT | {"user_profiles": [{"audiences": [{"action": "add"}]}]},
     {"type": "event_processing_request", "id": "e", "events": [{"type": "custom_event"}]}],
)  # fmt: skip
async def test_a_message_without_a_known_operation_is_quarantined(
    connect: Connect, services: Any, body: dict[str, Any]
) -> None:
    assert (await connect().post(PATH, json=body)).status_code == 200
    [decoded] = services.taken
    assert (len(decoded.messages), len(decoded.quarantined)) == (0, 1)


@pytest.mark.parametrize(
    ("kind", "remedy"),
    [("event_processing", "let the Webhook output send events"),
     ("module_registration", "register the module at mParticle"),
     ("unheard_of", "send `audience_membership_change_request`")],
)  # fmt: skip
async def test_a_refused_request_says_what_to_do(
    connect: Connect, services: Any, kind: str, remedy: str
) -> None:
    await connect().post(PATH, json={"type": f"{kind}_request", "id": "m", "events": [{}]})
    [decoded] = services.taken
    assert [kept.reason for kept in decoded.quarantined] == [f"`{kind}_request` is not taken here: {remedy}"]


async def test_an_audience_that_will_be_sent_is_acknowledged(connect: Connect) -> None:
    response = await connect().post(
        PATH, json={"type": "audience_subscription_request", "id": "s", "action": "add"}
    )
    assert response.json()["type"] == "audience_subscription_response"


@pytest.mark.parametrize("body", [{"mpid": 5, "events": []}, [HEARTBEAT], {"type": 5}])
async def test_a_malformed_request_is_refused_before_anything_is_taken(
    connect: Connect, services: Any, body: Any
) -> None:
    assert (await connect().post(PATH, json=body)).status_code == 400
    assert services.taken == []


@pytest.mark.parametrize("path", [PATH, "/webhooks/mparticle"])
async def test_an_erasure_request_is_rejected_with_the_right_path(
    connect: Connect, services: Any, path: str
) -> None:
    response = await connect().post(path, json=DEMAND)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "refused")
    assert "`/webhooks/mparticle/opendsr`" in response.text
    assert services.taken == []


async def test_an_erasure_request_among_batches_affects_none_of_them(connect: Connect, services: Any) -> None:
    batch = {"mpid": "5", "user_attributes": {"a": 1}}
    response = await connect().post("/webhooks/mparticle", json=[DEMAND, batch])
    assert "`/webhooks/mparticle/opendsr`" in response.text
    [decoded] = services.taken
    [message], [kept] = decoded.messages, decoded.quarantined
    assert (message.document["anonymousId"], kept.names()) == ("5", set())
    assert b"jane" not in bytes(kept.document)


async def test_the_firehose_requires_the_credentials_of_the_webhook(connect: Connect) -> None:
    client = connect(mparticle__authorizations=("Token abc",))
    assert (await client.post(PATH, json=HEARTBEAT)).status_code == 401
    response = await client.post(PATH, json=HEARTBEAT, headers={"Authorization": "Token abc"})
    assert response.status_code == 200

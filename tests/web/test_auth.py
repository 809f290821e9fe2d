"""White space around a credential is ignored, in a header, a body or a setting."""

from __future__ import annotations

import hmac
import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.server.serving import send_parts, served

Connect = Callable[..., httpx.AsyncClient]
TRACK = {"type": "track", "event": "x", "userId": "u", "messageId": "m"}
BATCH = {"mpid": 1, "events": [{"event_type": "custom_event", "data": {"event_name": "x"}}]}
GUARDED = {
    "segment__authorizations": ("Bearer  abc ",),
    "mparticle__authorizations": (" Token\tabc",),
    "segment__write_keys": ("abc",),
    "mparticle__api_keys": ("key:secret",),
    "api__tokens": ("abc",),
}
PADS = {
    "nothing": "{scheme} {value}",
    "before": "  {scheme} {value}",
    "after": "{scheme} {value} \t ",
    "between": "{scheme}    {value}",
    "everywhere": "\t {scheme}  {value}\t",
}
ENDPOINTS = {
    "/webhooks/segment": ("Bearer", "abc", TRACK),
    "/webhooks/mparticle": ("Token", "abc", BATCH),
    "/webhooks/mparticle/firehose": ("Token", "abc", {"type": "module_registration_request", "id": "1"}),
    "/v1/track": ("Basic", b64encode(b"abc:").decode(), TRACK),
    "/v1/b": ("basic", b64encode(b" abc ").decode(), {"batch": [TRACK]}),
    "/v2/events": ("Basic", b64encode(b"key:secret ").decode(), BATCH),
    "/v1/discounts/HV15-8K2F/apply": ("bearer", "abc", {}),
}


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("pad", PADS.values(), ids=PADS)
async def test_white_space_around_an_authorization_is_ignored(connect: Connect, path: str, pad: str) -> None:
    scheme, value, body = ENDPOINTS[path]
    for shown, refused in ((value, False), (value[:-1] + "x", True)):
        header = {"Authorization": pad.format(scheme=scheme, value=shown)}
        response = await connect(**GUARDED).post(path, json=body, headers=header)
        assert (response.status_code in {401, 403}) == refused


async def test_white_space_around_a_signature_and_a_write_key_is_ignored(connect: Connect) -> None:
    client, body = connect(segment__shared_secrets=("s",), segment__write_keys=("wk",)), json.dumps(TRACK)
    signature = hmac.new(b"s", body.encode(), "sha1").hexdigest()
    for shown in (f" {signature}\t", signature.upper()):
        response = await client.post("/webhooks/segment", content=body, headers={"X-Signature": shown})
        assert response.status_code == 200
    for key in (" wk", "wk ", "wk\n"):
        assert (await client.post("/v1/track", json=TRACK | {"writeKey": key})).status_code == 200
    for key in ("w k", "WK", " "):
        assert (await client.post("/v1/track", json=TRACK | {"writeKey": key})).status_code in {401, 403}


async def test_white_space_around_a_header_on_the_wire_is_ignored(app: Callable[..., Any]) -> None:
    body = json.dumps(TRACK).encode()
    head = (
        b"POST /webhooks/segment HTTP/1.1\r\nHost: shop\r\nAuthorization: \t Bearer abc \t \r\n"
        b"Content-Length: %d\r\n\r\n" % len(body)
    )
    async with served(app(**GUARDED)) as address:
        assert b" 200 " in await send_parts(address, head + body)

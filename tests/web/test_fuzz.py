"""Any body gets a status that the senders understand, and never an internal error."""

from __future__ import annotations

import gzip
import json
import re
from typing import Any

import anyio
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.slow

PATHS = ["/webhooks/segment", "/webhooks/mparticle", "/v1/track", "/v1/identify", "/v1/batch", "/v2/events",
         "/v2/bulkevents"]  # fmt: skip
WORDS = re.findall(r"\w+", """
    type event userId anonymousId messageId traits properties context batch json timestamp sentAt
    writeKey events event_type data user_identities identity_type identity user_attributes
    deleted_user_attributes mpid product_action products timestamp_unixtime_ms source_message_id
    request_type device_info consent_state environment custom_attributes promotion_action
    product_impressions
""")  # fmt: skip
VALUES = [
    *(
        "",
        "\x00",
        "\ud83d\ude00",
        "track",
        "identify",
        "alias",
        "custom_event",
        "commerce_event",
        "customer_id",
    ),
    *("production", "purchase", "2024-07-15T18:24:10Z", "0001-01-01T00:00:00Z"),
    *("9999-12-31T23:59:59.999999-14:00", "2020-05-09 23:54:49.209808489 +0000 UTC m=+70366.298768264"),
]
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, -1, 2**63, -(2**63), 1516298443, 157609199900, 10**30]),
    st.floats(),
    st.sampled_from(VALUES),
    st.text(max_size=10),
)
documents = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(WORDS), st.text(max_size=3)), inner, max_size=8),
    ),
    max_leaves=30,
)
bodies = st.one_of(
    st.binary(max_size=200),
    documents.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass")),
    st.tuples(documents.map(lambda value: json.dumps(value).encode()), st.integers(0, 60)).map(
        lambda cut: cut[0][: -cut[1] or None]
    ),
    documents.map(lambda value: b"[" + json.dumps(value).encode() + b', {"type": "track"}]'),
)
fuzzing = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def post(client: httpx.AsyncClient, path: str, body: bytes, headers: dict[bytes, bytes]) -> httpx.Response:
    async def once() -> httpx.Response:
        return await client.post(path, content=body, headers=headers)

    return anyio.run(once)


@pytest.mark.parametrize("path", PATHS)
@given(body=bodies, packed=st.booleans())
@fuzzing
def test_any_body_is_accepted_or_unreadable(path: str, body: bytes, packed: bool, connect: Any) -> None:
    headers = {b"content-encoding": b"gzip"} if packed else {}
    response = post(connect(), path, gzip.compress(body) if packed else body, headers)
    assert response.status_code in {200, 202, 400}
    assert not response.content or isinstance(response.json(), dict)


@pytest.mark.parametrize("path", PATHS)
@given(
    body=bodies, authorization=st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=40)
)
@fuzzing
def test_without_the_right_credential_nothing_is_accepted(
    path: str, body: bytes, authorization: str, connect: Any, services: Any
) -> None:
    client = connect(
        segment__shared_secrets=("s3cret",), segment__write_keys=("s3cret",),
        mparticle__authorizations=("s3cret",), mparticle__api_keys=("s3:cret",),
    )  # fmt: skip
    shown = authorization.encode("latin-1")
    response = post(client, path, body, {b"authorization": b"Basic " + shown, b"x-signature": shown})
    assert response.status_code in {400, 401, 403}
    assert services.taken == []

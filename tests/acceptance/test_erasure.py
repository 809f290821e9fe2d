"""Erasures over HTTP: by any id and by email address, wherever these stand, until no file holds them."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import apsw
import asyncpg
import httpx
import pytest

from adapter import app
from adapter.services.environment import Environment
from adapter.services.privacy import requests
from adapter.settings.fields import Keys, build
from tests.web.test_opendsr import GOOD, NOW, signed

ROOT = Path(__file__).parents[2]
RULE = """
rules:
  - name: gifts
    trigger: checkout_started
    conditions: ['history.distinct("checkout_started", "recipient", "30d") < 100']
    action: {type: free_shipping}
    guardrails: {stackable: true}
"""
MAIL, KEY = "Ann.Lee@Example.org", "cust-0815-ann"


class Shop:
    """The adapter over a store of its own; `files` are those that hold what is stored."""

    def __init__(self, url: str, folder: Path) -> None:
        (folder / "rules.yaml").write_text(RULE)
        (folder / "opendsr.pem").write_bytes(GOOD)
        chosen: dict[Keys, Any] = {
            ("files", "mappings"): str(ROOT / "mappings"), ("files", "rules"): str(folder),
            ("store", "url"): url, ("mparticle", "opendsr_certificate"): str(folder / "opendsr.pem"),
            ("ingest", "max_wait_seconds"): 60,
        }  # fmt: skip
        self.app = app.compose(build(chosen), world=Environment(clock=lambda: NOW))
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app.asgi), base_url="http://localhost"
        )
        self.sent = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Shop]:
        async with self.app.running(), self.http:
            yield self

    async def send(self, *calls: dict[str, Any]) -> list[dict[str, Any]]:
        body = []
        for call in calls:
            self.sent += 1
            body.append({"messageId": f"m{self.sent}", "timestamp": NOW.isoformat()} | call)
        answer = await self.http.post("/webhooks/segment", json=body)
        assert answer.status_code == 200, answer.text
        results: list[dict[str, Any]] = answer.json()["results"]
        return results

    async def demand(self, request: str, **identities: str) -> httpx.Response:
        named = {kind: {"value": value, "encoding": "raw"} for kind, value in identities.items()}
        body = json.dumps({
            "regulation": "gdpr", "subject_request_id": request, "subject_request_type": "erasure",
            "submitted_time": "2024-07-15T18:00:00Z", "subject_identities": named, "api_version": "3.0",
        }).encode()  # fmt: skip
        return await self.http.post("/webhooks/mparticle/opendsr", content=body, headers=signed(body))

    async def export(self, source_id: str) -> Any:
        answer = await self.http.get(f"/v1/customers/{source_id}/export")
        return answer.json() if answer.status_code == 200 else None

    async def quarantined(self) -> list[Any]:
        kept: list[Any] = (await self.http.get("/v1/quarantine")).json()["quarantined"]
        return kept


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'adapter.db'}"
    return str(request.getfixturevalue("new_postgres"))


@pytest.fixture
async def shop(url: str, tmp_path: Path) -> AsyncIterator[Shop]:
    async with Shop(url, tmp_path).open() as shop:
        yield shop


def checkout(user: str, **more: Any) -> dict[str, Any]:
    return {"type": "track", "event": "Checkout Started", "userId": user} | more


def spellings(text: str) -> Iterator[bytes]:
    for spelled in {text, text.lower(), text.upper()}:
        yield spelled.encode()
        yield quote(spelled, safe="").encode()


async def files(url: str) -> bytes:
    """Return all bytes of the files of a closed store, after a vacuum."""
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        connection = apsw.Connection(str(path))
        connection.execute("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        return b"".join(file.read_bytes() for file in path.parent.glob("adapter.db*"))
    postgres = await asyncpg.connect(url)
    await postgres.execute("DELETE FROM pg_statistic")  # samples of rows, until the server analyses again
    await postgres.execute("VACUUM FULL")
    await postgres.execute("CHECKPOINT")
    folder = Path(await postgres.fetchval("SHOW data_directory")) / "base"
    folder /= str(await postgres.fetchval("SELECT oid FROM pg_database WHERE datname = current_database()"))
    await postgres.close()
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def test_customers_and_guests_are_erased_by_an_address_in_any_spelling(shop: Shop) -> None:
    guest = {"type": "track", "event": "Checkout Started"}
    await shop.send(
        {"type": "identify", "userId": "e1", "traits": {"email": "Ann.Lee@Example.org"}},
        {"type": "identify", "userId": "e2", "traits": {"email": " ann.lee@example.org"}},
        {"type": "identify", "userId": "e3", "traits": {"email": "ann.lee@example.net"}},
        guest | {"anonymousId": "g1", "properties": {"email": "guest@example.org"}},
        guest | {"anonymousId": "g2", "context": {"traits": {"email": "GUEST@example.org"}}},
        guest | {"anonymousId": "g3", "properties": {"email": "guest@example.net"}},
    )  # fmt: skip
    for request, email in (("r1", "ann.lee@example.org"), ("r2", "Guest@EXAMPLE.org")):
        assert (await shop.demand(request, email=email)).status_code == 202
    for gone in ("e1", "e2", "g1", "g2"):
        left = await shop.export(gone)
        assert (left["customer"], left["events"], left["decisions"]) == (None, [], [])
        assert [receipt["by"] for receipt in left["receipts"]] == ["opendsr"]
    for kept in ("e3", "g3"):
        assert (await shop.export(kept))["customer"] is not None


@pytest.mark.parametrize(
    ("held", "asked"),
    [
        ("jos\u00e9@x.test", "JOSE\u0301@x.test"), ("a@b\u00fccher.example", "A@xn--bcher-kva.EXAMPLE"),
        ("a@xn--bcher-kva.example", "a@B\u00dcCHER.example"), ("\uff41@x.test", "a@x.test"),
        ("a@x.test.", "a@x.test"), ("Ann Lee <a@x.test>", "mailto:A@x.test"),
    ],
)  # fmt: skip
async def test_an_address_is_the_same_in_every_unicode_form_and_domain(
    held: str, asked: str, shop: Shop
) -> None:
    await shop.send({"type": "identify", "userId": "u1", "traits": {"email": held}})
    assert (await shop.demand("r1", email=asked)).status_code == 202
    assert (await shop.export("u1"))["customer"] is None


async def test_identities_of_a_batch_hold_an_address(shop: Shop) -> None:
    batch = {"user_identities": {"email": MAIL}, "mpid": 42,
             "events": [{"event_type": "custom_event", "data": {"event_name": "seen"}}]}  # fmt: skip
    assert (await shop.http.post("/webhooks/mparticle", json=batch)).status_code == 200
    assert (await shop.demand("r1", email=MAIL.lower())).status_code == 202
    assert (await shop.export("42"))["customer"] is None


async def test_a_customer_who_mentions_an_erased_address_stays_and_loses_it(shop: Shop, url: str) -> None:
    own = {"email": "bob@example.org", "friend": MAIL}
    await shop.send(
        {"type": "identify", "userId": "bob", "traits": own},
        {"type": "identify", "userId": KEY, "traits": {"email": MAIL}},
        checkout("bob", properties={
            "recipient": MAIL.upper(), "to": [{"email": MAIL}], MAIL: "key", "value": 20.5, "order_id": "o-1",
            "note": f"For {MAIL}, with love",
        }, context={"page": {"url": f"https://x.test/?gift={quote(MAIL, safe='')}&a=b"}}),
    )  # fmt: skip
    before = await shop.export("bob")
    assert (await shop.demand("r1", email=MAIL.lower())).status_code == 202
    after = await shop.export("bob")
    assert after["customer"]["email"] == "bob@example.org"
    assert after["customer"]["traits"] == own | {"friend": "[erased]"}
    [event] = after["events"]
    assert event["attributes"] == {
        "recipient": "[erased]", "to": [{"email": "[erased]"}], "[erased]": "key", "value": 20.5,
        "order_id": "o-1", "note": "For [erased], with love", "cart_value": 20.5, "coupon_used": False,
    }  # fmt: skip
    assert event["context"]["page"]["url"] == "https://x.test/?gift=[erased]&a=b"
    assert len(after["discounts"]) == len(before["discounts"]) == 1
    [receipt] = (await shop.export(KEY))["receipts"]
    assert receipt["removed"]["customers"] == 1
    assert not re.search(r"ann\.lee", json.dumps(after), re.IGNORECASE)
    assert (await shop.demand("r1", email=MAIL.lower())).status_code == 202
    assert await shop.export("bob") == after


async def test_an_erasure_by_id_takes_the_persons_address_out_of_others_data_too(shop: Shop) -> None:
    await shop.send(
        {"type": "identify", "userId": KEY, "traits": {"email": MAIL}},
        checkout("bob", properties={"recipient": MAIL}, context={"traits": {"email": "bob@x.test"}}),
    )
    receipt = (await shop.http.delete(f"/v1/customers/{KEY}")).json()
    assert receipt["removed"]["mentions"] > 0
    assert (await shop.export("bob"))["events"][0]["attributes"]["recipient"] == "[erased]"


async def test_an_address_that_another_customer_holds_stays_theirs(shop: Shop) -> None:
    for user in (KEY, "her-husband"):
        await shop.send({"type": "identify", "userId": user, "traits": {"email": MAIL}})
    await shop.send(
        checkout("bob", properties={"recipient": MAIL}, context={"traits": {"email": "b@x.test"}})
    )
    assert (await shop.http.delete(f"/v1/customers/{KEY}")).status_code == 200
    assert (await shop.export("her-husband"))["customer"]["email"] == MAIL
    assert (await shop.export("bob"))["events"][0]["attributes"]["recipient"] == MAIL


async def test_customers_who_are_kept_under_another_id_are_found_and_cleaned_too(shop: Shop) -> None:
    for user, mail in (("ann-before", MAIL), ("bob-before", "bob@example.org")):
        await shop.send({"type": "identify", "userId": user, "traits": {"email": mail}})
        await shop.send(*(checkout(user, properties={"recipient": MAIL}) for _ in range(110)))
        await shop.send({"type": "alias", "userId": user.replace("before", "now"), "previousId": user})
    assert (await shop.export("bob-now"))["customer"]["source_id"] == "bob-now"
    assert (await shop.demand("r1", email=MAIL.lower())).status_code == 202
    for gone in ("ann-before", "ann-now"):
        assert (await shop.export(gone) or {"customer": None})["customer"] is None
    left = await shop.export("bob-before")
    assert (left["customer"]["source_id"], left["customer"]["email"]) == ("bob-now", "bob@example.org")
    assert {event["attributes"]["recipient"] for event in left["events"]} == {"[erased]"}
    assert not re.search(r"ann\.lee", json.dumps(left), re.IGNORECASE)


async def test_one_request_does_a_bounded_part_and_the_next_goes_on(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "MOST_CUSTOMERS", 3)
    await shop.send(*({"type": "identify", "userId": f"a{at}", "traits": {"email": MAIL}} for at in range(4)))
    for at in range(4):
        own = {"traits": {"email": f"b{at}@x.test"}}
        await shop.send(checkout(f"b{at}", properties={"recipient": MAIL}, context=own))
    statuses = [(await shop.demand("r1", email=MAIL.lower())).status_code for _ in range(4)]
    assert statuses == [503, 503, 202, 202]
    counts = await shop.app.store.counts()
    assert counts["customers"] == 4
    for at in range(4):
        assert (await shop.export(f"b{at}"))["events"][0]["attributes"]["recipient"] == "[erased]"


async def test_a_delete_of_segment_is_finished_in_the_background(shop: Shop) -> None:
    await shop.send(
        {"type": "identify", "userId": KEY, "traits": {"email": MAIL}},
        {"type": "track", "event": "Checkout Started", "properties": {"billing_email": MAIL}},
        {"type": "track", "event": "Checkout Started", "properties": {"billing_email": "bob@x.test"}},
        {"type": "delete", "userId": KEY},
    )
    await shop.app.forgetting.finish()
    [kept] = await shop.quarantined()
    assert kept["document"]["properties"]["billing_email"] == "bob@x.test"
    assert (await shop.export(KEY))["receipts"][0]["removed"]["quarantined"] == 1


#: Where a text may be planted in a message.
PLACES: list[Callable[[str], dict[str, Any]]] = [
    lambda text: {"customer_email": text},
    lambda text: {"emails": ["x@y.test", text]},
    lambda text: {text: 1},
    lambda text: {"contact": text},
    lambda text: {"user": {"id": text}},
    lambda text: {"note": f"see {text}!"},
    lambda text: {"url": f"https://x.test/?u={quote(text, safe='')}&b=1"},
    lambda text: {"a": [[{"b": {"c": text}}]]},
    lambda text: {"url": f"https://x.test/u/{text}/orders"},
    lambda text: {"shout": text.upper()},
    lambda text: {"json": json.dumps({"who": text})},
    lambda text: {"list": f"a@b.test,{text};c@d.test"},
]


async def test_after_an_erasure_no_file_has_the_ids_and_the_data_of_others_stays(
    url: str, tmp_path: Path
) -> None:
    places, nameless = PLACES, {"type": "track", "event": "Checkout Started"}
    others = ["bob-19701212", "bob@example.org", "cust-0815-annabel", "ann.lee@example.orgs"]
    async with Shop(url, tmp_path).open() as shop:
        await shop.send(
            {"type": "identify", "userId": KEY, "anonymousId": "anon-4711-ann", "traits": {"email": MAIL}},
            {"type": "identify", "userId": others[0], "traits": {"email": others[1]}},
        )
        for place in places:
            # Without an id of its own a message is quarantined; with Ann's it is hers.
            calls = [checkout(others[0], properties=place(MAIL), context={"page": place(MAIL)})]
            for text in (MAIL, KEY, "anon-4711-ann"):
                calls += [nameless | {"properties": place(text)}, checkout(KEY, properties=place(text))]
            for other in others:
                calls += [
                    nameless | {"properties": place(other)},
                    checkout(others[0], properties=place(other)),
                ]
            await shop.send(*calls)
        assert (await shop.demand("r1", customer_id=KEY, email=MAIL.lower())).status_code == 202
        kept = [entry async for entry in all_quarantined(shop)]
        assert len(kept) == len(places) * len(others)
        left = await shop.export(others[0])
        assert len(left["events"]) == len(places) * (1 + len(others))
        assert left["customer"]["email"] == others[1]
        assert sum(other in json.dumps(left["events"]) for other in others) == len(others)
    stored = await files(url)
    assert others[1].encode() in stored
    for name in (MAIL, KEY, "anon-4711-ann"):
        for spelled in spellings(name):
            found = [stored[max(0, at - 60) : at + 60] for at in places_of(spelled, stored)]
            assert found == []


def places_of(name: bytes, stored: bytes) -> Iterator[int]:
    """Yield where a name stands that no longer one goes on with."""
    yield from (found.start() for found in re.finditer(re.escape(name) + rb"(?![A-Za-z])", stored))


async def all_quarantined(shop: Shop) -> AsyncIterator[Any]:
    after = 0
    while page := await shop.app.store.quarantined(after, 100):
        for entry in page:
            yield entry
        after = page[-1].id


async def test_a_demand_by_address_is_not_answered_before_all_addresses_are_known(
    url: str, tmp_path: Path
) -> None:
    async with Shop(url, tmp_path).open() as shop:
        await shop.send(
            *({"type": "identify", "userId": f"u{at}", "traits": {"email": MAIL}} for at in range(45))
        )
    await as_an_older_program_left_it(url)
    async with Shop(url, tmp_path).app.working():
        pass
    shop = Shop(url, tmp_path)
    async with shop.app.working():
        answers = [await shop.demand("r1", email=MAIL.lower())]
        while answers[-1].status_code == 503:
            assert "retry-after" in answers[-1].headers
            await shop.app.forgetting.step()
            answers.append(await shop.demand("r1", email=MAIL.lower()))
        assert [answer.status_code for answer in answers] == [503, 503, 503, 503, 202]
        counts = await shop.app.store.counts()
        assert counts["customers"] == 0


async def as_an_older_program_left_it(url: str) -> None:
    """Have a closed store look as if a migration had just been made."""
    forget = "DELETE FROM addresses; INSERT INTO address_progress VALUES ('customers', '')"
    if url.startswith("sqlite"):
        connection = apsw.Connection(url.removeprefix("sqlite:///"))
        connection.execute(forget)
        connection.close()
        return
    postgres = await asyncpg.connect(url)
    await postgres.execute(forget)
    await postgres.close()

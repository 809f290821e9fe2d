"""Fills a started server over HTTP with what a shop has after some days, for pages to show it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import copytree
from threading import Thread
from typing import Any

import httpx

from tests.console.shoppers import Call, Customer, buyers, customers, faults, visits
from tests.console.signing_in import csrf_of, post

ROOT = Path(__file__).parents[2]

#: For a settings file: one destination that accepts, one that fails.
DESTINATIONS = """
[destinations.webhook]
url = "{url}/shop"
allow_private_addresses = true
secrets = [{{env = "SHOP_SECRET"}}]

[destinations.crm]
type = "webhook"
url = "{url}/broken"
allow_private_addresses = true
secrets = [{{env = "SHOP_SECRET"}}]
events = ["discount.issued", "discount.redeemed"]
"""

_IMPORTED = """source_id,name,email,metadata.tier,metadata.address.city,tags[]
c-1,Ada Byron,ada.byron@mail.example,gold,Oslo,"early, vip"
c-2,Bo Ek,bo.ek@mail.example,silver,Rome,
,Nobody,nobody@mail.example,silver,Rome,
c-4,Cy Dee,cy.dee@mail.example,basic,Kiel,
"""


class _Destination(BaseHTTPRequestHandler):
    """Accepts all that is pushed, but not at /broken."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(503 if self.path.startswith("/broken") else 204)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def destinations() -> Iterator[str]:
    """Run the destinations while the block runs; gives their settings."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Destination) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield DESTINATIONS.format(url=f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()


class Filler:
    """Sends to a server what happens in a shop. `wait` returns when it is time to send what happens then."""

    def __init__(self, client: httpx.Client, wait: Callable[[datetime], None]) -> None:
        self._client = client
        self._wait = wait

    def fill(self, start: datetime, end: datetime, many: int) -> None:
        """Send the traffic of a span with so many visits, and what people do by the API."""
        people = customers(max(8, many // 5))
        half = start + (end - start) / 2
        calls = [*visits(people, start, end, many), *faults(people, start + (end - start) * 0.8)]
        calls += buyers(people[:6], start + (end - start) * 0.2)
        ordered = sorted(calls, key=lambda each: each.at)
        self._send([each for each in ordered if each.at < half])
        self._redeem(people)
        self._bulk()
        self._send([each for each in ordered if each.at >= half])
        self._simulate()
        self._act()

    def _send(self, calls: Sequence[Call]) -> None:
        for call in calls:
            self._wait(call.at)
            self._client.post(call.path, json=call.body)

    def _redeem(self, people: Sequence[Customer]) -> None:
        """Use some of the discounts that customers hold, and revoke one."""
        held = [each for who in people[:12] for each in self._held(who)]
        for number, discount in enumerate(held[:7]):
            code, who = discount["code"], discount["metadata"]["user_id"]
            if number == 1:
                self._client.post(f"/v1/discounts/{code}/revoke", json={"reason": "ordered by a reseller"})
                continue
            lines = [{"id": "1", "sku": "NL-RUN-42", "quantity": 2, "unit_price": "89.95"}]
            shipping = [{"price": "9.90", "service_level": "standard", "country": "US", "region": "US"}]
            order = {"currency": "USD", "lines": lines, "shipping": shipping}
            body = {
                "codes": [code],
                "customer": {"source_id": who},
                "order_id": f"ord-{number}",
                "order": order,
            }
            if number == 2:
                self._client.post("/v1/validations", json=body | {"reserve": {}})
                continue
            booked = self._client.post("/v1/redemptions", json=body)
            if number == 3 and booked.is_success:
                self._client.post(
                    f"/v1/redemptions/{booked.json()['id']}/rollbacks", json={"reason": "returned"}
                )

    def _held(self, who: Customer) -> list[dict[str, Any]]:
        listed = self._client.get(f"/v1/customers/{who.id}/discounts")
        return [each for each in listed.json().get("discounts", ()) if each["status"] == "issued"]

    def _bulk(self) -> None:
        """Import a file of which one row is refused."""
        query = {"kind": "customers", "name": "newsletter.csv"}
        self._client.post("/v1/imports", params=query, content=_IMPORTED.encode())

    def _simulate(self) -> None:
        """Simulate another text of a rule file, and wait for its report."""
        name = self._client.get("/console/simulations.json").json()["names"][0]
        text = self._client.get("/console/simulations.json", params={"file": name}).json()["text"]
        form = {
            "csrf": csrf_of(self._client),
            "name": name,
            "text": text,
            "since": "30d",
            "title": "Next month",
        }
        form["what_if"] = "guardrails.max_daily_redemptions=1,5,50"
        begun = self._client.post("/console/simulations/start", data=form, follow_redirects=True)
        assert begun.is_success, begun.text
        run = {"id": begun.url.params["id"]}
        for _ in range(600):
            if self._client.get("/console/simulation.json", params=run).json()["run"]["state"] != "running":
                return
            time.sleep(0.1)
        raise AssertionError("the simulation does not end")

    def _act(self) -> None:
        """Do in the console what leads to more pages, and to entries of the audit log."""
        file = {"file": ("wholesale.csv", _IMPORTED)}
        post(self._client, "/console/imports/upload", {"kind": "customers"}, file)
        waiting = self._client.get("/v1/quarantine").json()["quarantined"]
        if waiting:
            post(self._client, "/console/quarantine/replay", {"id": str(waiting[-1]["id"])})
        post(self._client, "/console/deliveries/test", {"destination": "webhook"})


def fill(
    url: str, start: datetime, end: datetime, many: int, wait: Callable[[datetime], None] | None = None
) -> None:
    """Fill a server with the traffic of a span; see `Filler`. Without `wait` all is sent at once."""
    with httpx.Client(base_url=url, timeout=20) as client:
        Filler(client, wait or (lambda _: None)).fill(start, end, many)


def until(clock: Callable[[], datetime], moment: datetime) -> None:
    """Return when a clock shows a time."""
    while clock() < moment:
        time.sleep(0.002)


def last_hour() -> tuple[datetime, datetime]:
    """Return when the last hour began and ended."""
    now = datetime.now(UTC)
    return now - timedelta(hours=1), now


def rules_of_shop(folder: Path) -> Path:
    """Return a folder with the starter's rules, and more of them."""
    rules = folder / "rules"
    copytree(ROOT / "rules", rules)
    copytree(Path(__file__).parent / "shop" / "rules", rules, dirs_exist_ok=True)
    return rules


def serve_with(folder: Path, settings: str, *program: str) -> list[str]:
    """Return a command that serves with settings, which it writes to a folder."""
    file = folder / "adapter.toml"
    file.write_text(settings)
    return [sys.executable, *(program or ("-m", "adapter.cli.main", "serve")), "--config", str(file)]

"""A project at Voucherify, as far as the destination uses one, and an HTTP client that reaches it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote

import msgspec
from msgspec import Raw
from yarl import URL

from adapter.destinations.transport import Answer, RequestFailed
from adapter.destinations.voucherify.destination import VoucherifyDestination
from adapter.model.deliveries import Delivery, Rendered
from adapter.model.encoding import encode
from adapter.settings.destinations.voucherify import Voucherify
from adapter.settings.scalars import Secret

NOW = datetime(2026, 1, 1, 0, 0, tzinfo=UTC)
LOST = RequestFailed("the connection broke: reset")


class Project:
    """Answers the calls; `before` and `after` have, by method and path, what is answered instead.

    What stands in `after` is answered once the call was carried out: the answer was lost.
    """

    def __init__(self) -> None:
        self.vouchers: dict[str, dict[str, Any]] = {}
        self.publications: list[dict[str, Any]] = []
        self.customers: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.calls: list[tuple[str, str, Any]] = []
        self.before: dict[tuple[str, str], list[Answer | Exception]] = {}
        self.after: dict[tuple[str, str], list[Answer | Exception]] = {}

    async def request(
        self,
        method: str,
        url: str | URL,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,  # noqa: ASYNC109 - the interface
        read_bytes: int = 0,
        read_seconds: float = 0,
    ) -> Answer:
        assert headers is not None
        assert headers["x-app-id"] == "app"
        assert headers["x-app-token"] == "secret"
        del timeout, read_bytes, read_seconds
        path = str(url).removeprefix("https://api.voucherify.io")
        document = msgspec.json.decode(body) if body else None
        self.calls.append((method, path, document))
        if (told := self._told(self.before, method, path)) is not None:
            return told
        answer = self._carried_out(method, path, document)
        told = self._told(self.after, method, path)
        return answer if told is None else told

    def _told(
        self, told: dict[tuple[str, str], list[Answer | Exception]], method: str, path: str
    ) -> Answer | None:
        waiting = told.get((method, path.partition("?")[0]))
        if not waiting:
            return None
        found = waiting.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def _carried_out(self, method: str, path: str, body: Any) -> Answer:
        plain, _, query = path.partition("?")
        parts = [unquote(part) for part in plain.removeprefix("/v1/").split("/")]
        handler: Callable[..., Answer] = getattr(self, f"_{method.lower()}_{parts[0]}")
        return handler(parts[1:], body, parse_qs(query))

    def _post_vouchers(self, parts: list[str], body: Any, _query: Any) -> Answer:
        code = parts[0]
        if len(parts) == 1:
            return self._create(code, body)
        voucher = self.vouchers.get(code)
        if voucher is None:
            return error(404, "not_found")
        if parts[1] == "balance":
            voucher["gift"]["balance"] += body["amount"]
        else:
            voucher["active"] = parts[1] == "enable"
        return says(200, voucher)

    def _post_campaigns(self, parts: list[str], body: Any, _query: Any) -> Answer:
        return self._create(parts[2], body | {"campaign": parts[0]})

    def _create(self, code: str, body: Any) -> Answer:
        if code in self.vouchers:
            return error(409, "duplicate_found")
        voucher = {"id": f"v_{code}", "code": code, "active": True, **body}
        if "gift" in body:
            voucher["gift"] = {**body["gift"], "balance": body["gift"]["amount"]}
        self.vouchers[code] = voucher
        return says(200, voucher)

    def _get_vouchers(self, parts: list[str], _body: Any, _query: Any) -> Answer:
        voucher = self.vouchers.get(parts[0])
        return error(404, "not_found") if voucher is None else says(200, voucher)

    def _post_publications(self, _parts: list[str], body: Any, _query: Any) -> Answer:
        if any(each["source_id"] == body["source_id"] for each in self.publications):
            return error(400, "duplicate_source_id")
        if any(each["voucher"]["code"] == body["voucher"] for each in self.publications):
            return error(400, "voucher_already_published")
        self._post_customers([], body["customer"], None)
        publication = {**body, "voucher": {"code": body["voucher"]}, "channel": "API"}
        self.publications.append(publication)
        return says(200, publication)

    def _get_publications(self, _parts: list[str], _body: Any, query: Any) -> Answer:
        found = [each for each in self.publications if each["source_id"] in query["source_id"]]
        return says(200, {"object": "list", "data_ref": "publications", "publications": found})

    def _post_customers(self, parts: list[str], body: Any, _query: Any) -> Answer:
        if parts and parts[1] == "permanent-deletion":
            gone = self.customers.pop(parts[0], None)
            return error(404, "not_found") if gone is None else says(200, {"status": "DONE"})
        known = self.customers.setdefault(body["source_id"], {"id": f"cust_{len(self.customers) + 1}"})
        known.update(body)
        return says(200, known)

    def _get_customers(self, parts: list[str], _body: Any, _query: Any) -> Answer:
        if not parts:
            return says(200, {"customers": []})
        known = self.customers.get(parts[0])
        return error(404, "not_found") if known is None else says(200, known)

    def _post_events(self, _parts: list[str], body: Any, _query: Any) -> Answer:
        self.events.append(body)
        self._post_customers([], body["customer"], None)
        return says(200, {"object": "event", "type": body["event"], "customer": {}})


def says(status: int, document: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, headers or {}, encode(document if document is not None else {}), True)


def error(status: int, key: str) -> Answer:
    return says(status, {"code": status, "key": key, "message": "no", "details": ""})


def destination(project: Project, **settings: Any) -> VoucherifyDestination:
    given = Voucherify(application_id="app", token=Secret("secret"), **settings)
    return VoucherifyDestination("vf", given, project)


def delivery(kind: str, data: Any, id_: str = "d-9", source_id: str = "c-1") -> Delivery:
    body = Raw(encode({"type": kind, "timestamp": NOW, "data": data}))
    return Delivery(id_, "vf", source_id, kind, body, NOW, NOW)


def rendered(to: VoucherifyDestination, what: Delivery) -> Delivery:
    return msgspec.structs.replace(what, rendered=Rendered("voucherify", to.render(what)))

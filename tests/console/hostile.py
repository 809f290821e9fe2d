"""Text that tries to become markup, where it can come from, and how one sees that it has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from typing import Any, Final

import httpx
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser, LexborNode

from adapter.console.pages import PAGES
from tests.console.addresses import linked

#: The letters are those of names of elements, attributes and functions that no page has.
MARK: Final = "evil"

_PIECES: Final = (
    "<evil>", '"><evil>', "'><evil>", "</td></table><evil>", "</textarea><evil>", "</title><evil>",
    "</pre><evil>", "</script><evil>", "</style><evil>", "--><evil>", "]]><evil>",
    "<!--evil", "<svg/onload=evil()>",
    "<img src=evil onerror=evil()>", '" evil="', "' evil='", " evil=evil ", '" onfocus="evil()" autofocus="',
    "' onclick='evil()", "javascript:evil()", "data:text/html,<evil>", "<a href=javascript:evil()>evil</a>",
    "<meta http-equiv=refresh content=0;url=//evil>", "<base href=//evil>", "<form action=//evil>",
    "{{ evil }}", "{% evil %}", "${evil}", "&lt;evil&gt;", "&#60;evil&#62;", "\\u003cevil>", "<\u202eevil>",
    "\u2066evil\u2069", "\u200fevil", "<ｅｖｉｌ>", "evil\u2028evil", "\\", "`", "%3Cevil%3E",
    "<evil hx-get=//evil hx-trigger=load>", "<evil", "</", ">", "=", " ", "é", "🙂",
)  # fmt: skip
#: Texts that have the mark, so that one can look for it.
hostile = st.lists(st.sampled_from(_PIECES), max_size=4).map(lambda pieces: "".join([*pieces, "<evil>"]))

_LEADING: Final = ("href", "src", "action", "formaction", "hx-get", "hx-post", "data", "srcset", "xlink:href")
_RUN: Final = ("script", "style", "iframe", "object", "embed", "base", "meta")


def became_markup(html: str) -> list[str]:
    """Return what hostile text has become in a page besides text and values of attributes."""
    found: list[str] = []
    root = LexborHTMLParser(html).root
    for node in root.traverse(include_text=True) if root is not None else ():
        found += [f"{each} in {_shown(node)}" for each in _wrong(node)]
    return found


def text_of(html: str) -> str:
    """Return what a page shows, as the parser of a browser reads it."""
    body = LexborHTMLParser(html).body
    return body.text() if body is not None else ""


def _wrong(node: LexborNode) -> Iterator[str]:
    tag = node.tag or ""
    if tag == "-text":
        if node.parent is not None and node.parent.tag in _RUN and MARK in (node.text(deep=False) or ""):
            yield "a script or style"
        return
    if MARK in tag:
        yield "an element"
    if tag in {"-comment", "_comment"} and MARK in (node.html or ""):
        yield "a comment"
    for name, value in node.attributes.items():
        text = (value or "").strip().casefold()
        if MARK in name or name.startswith("on"):
            yield f"the attribute {name}"
        elif name in _LEADING and (
            text.startswith(("javascript:", "data:text", "//")) or "//evil" in text[:12]
        ):
            yield f"the target {name}"
        elif tag in _RUN and name in {"src", "href", "content", "data"} and MARK in text:
            yield f"what {tag} loads"


def _shown(node: LexborNode) -> str:
    return (node.html or "")[:200]


class Attacker:
    """Sends text to a server wherever others may: messages, files, the checkout. Each call has new ids."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._numbers = count(1)

    def attack(self, text: str) -> None:
        """Send the text as everything that a page may show."""
        number = next(self._numbers)
        self._messages(text, number)
        self._import(text, number)
        self._checkout(text, number)

    def _messages(self, text: str, number: int) -> None:
        base = {"type": "track", "event": "Checkout Started", "userId": f"shopper-{number}"}
        basket = {"value": 145.75, "currency": "USD", "shipping_country": "US", text[:60]: text}
        for call in (
            base | {"messageId": f"base-{number}", "properties": basket},
            base | {"messageId": f"named-{number}", "event": text, "properties": {"name": text, "x": [text]}},
            base | {"messageId": f"{text[:40]}{number}", "userId": f"{text[:60]}{number}"},
            {"type": "identify", "messageId": f"who-{number}", "userId": f"shopper-{number}",
             "traits": {"name": text, "email": text, "tier": text, text[:60]: text, "a": {"city": text}}},
            {"type": "track", "messageId": f"lost-{number}", "userId": "undefined", "event": text,
             "properties": {"x": text}},
            base | {"messageId": f"typed-{number}", "type": text},
        ):  # fmt: skip
            self._client.post("/webhooks/segment", content=json.dumps(call).encode())
        self._client.post("/webhooks/segment", content=text.encode())
        self._client.post(
            "/webhooks/mparticle", content=json.dumps({"events": [{"event_type": text}]}).encode()
        )

    def _import(self, text: str, number: int) -> None:
        row = {"source_id": f"imported-{number}", "name": text, text[:60]: text}
        lines = [row, {"name": text}]
        content = "\n".join(map(json.dumps, lines)).encode()
        self._client.post("/v1/imports", params={"kind": "customers", "name": text[:100]}, content=content)

    def _checkout(self, text: str, number: int) -> None:
        held = self._client.get(f"/v1/customers/shopper-{number}/discounts").json().get("discounts", [])
        for discount in held[:1]:
            line = {"id": text[:50], "sku": text[:100], "quantity": 1, "unit_price": "200.00", "name": text}
            body: dict[str, Any] = {
                "codes": [discount["code"]], "customer": {"source_id": f"shopper-{number}"},
                "order_id": f"{text[:60]}{number}", "order": {"currency": "USD", "lines": [line]},
            }  # fmt: skip
            self._client.post("/v1/redemptions", json=body)
        for discount in held[1:2]:
            self._client.post(f"/v1/discounts/{discount['code']}/revoke", json={"reason": text})

    def pages(self, text: str) -> Iterator[tuple[str, int, str]]:
        """Yield address, status and HTML of what shows it: each page, and each with the text in its query."""
        for _, address in linked(self._client):
            yield from self._get(address)
        for page in PAGES:
            for name in page.query.__struct_encode_fields__:
                answer = self._client.get(page.path, params={name: text})
                yield f"{page.path}?{name}=…", answer.status_code, answer.text
            answer = self._client.get(page.path, params={text[:100]: "1"})
            yield f"{page.path}?…=1", answer.status_code, answer.text
        yield from self._get("/console/no-such-page")

    def _get(self, address: str) -> Iterator[tuple[str, int, str]]:
        answer = self._client.get(address)
        yield address, answer.status_code, answer.text

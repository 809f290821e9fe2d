"""Visitors of the console over HTTP: signed in by a token, with the token of their forms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
from selectolax.lexbor import LexborHTMLParser

from adapter.console.pages import PAGES

ADMIN = "a token of an administrator of 32 bytes"
OPERATE = "a token of an operator with 32 bytes"
READ = "a token of a reader that has 32 bytes"
#: Settings under which these tokens may sign in, and everybody must.
TOKENS = {
    "ADAPTER_API_TOKENS": ADMIN,
    "ADAPTER_API_OPERATE_TOKENS": OPERATE,
    "ADAPTER_API_READ_TOKENS": READ,
}


@contextmanager
def visitor(url: str, token: str = "") -> Iterator[httpx.Client]:
    """Give a client of the console of a server, signed in where there is a token."""
    with httpx.Client(base_url=url, timeout=20) as client:
        if token:
            answer = client.post("/console/sign-in", data={"token": token})
            assert answer.status_code == 303, answer.text
        yield client


def post(
    client: httpx.Client, path: str, fields: Mapping[str, str], files: Mapping[str, Any] | None = None
) -> httpx.Response:
    """Post a form as its page does."""
    return client.post(path, data={**fields, "csrf": csrf_of(client)}, files=files)


def csrf_of(client: httpx.Client) -> str:
    """Return the token that the visitor's forms send back; empty where no page has a form."""
    for page in PAGES:
        for each in LexborHTMLParser(client.get(page.path).text).css("input[name=csrf]"):
            return each.attributes["value"] or ""
    return ""

"""What a call is answered, and the answers that are kept under idempotency keys."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Raw, Struct

from adapter.model.encoding import encode
from adapter.store.values import MessageKey

_SOURCE = "checkout"


class Reply(Struct, frozen=True):
    """A status of HTTP and a JSON body."""

    status: int
    body: Raw

    @classmethod
    def of(cls, document: Any, status: int = 200) -> Reply:
        """Return a document as a reply."""
        return cls(status, Raw(encode(document)))


class Keyed(Struct, frozen=True):
    """An idempotency key with the request that it stands for; `caller` tells the keys of two tokens apart."""

    key: str
    request: str

    @property
    def message(self) -> MessageKey:
        """The key under which the store keeps the answer."""
        return _SOURCE, self.key


class _Kept(Struct, frozen=True, array_like=True):
    request: str
    reply: Reply


_decode = msgspec.json.Decoder(_Kept).decode


def keyed(key: str | None, caller: str, verb: str, request: Any) -> Keyed | None:
    """Return what a call is remembered by, None for a call without a key."""
    if not key:
        return None
    body = msgspec.json.encode(request, order="deterministic")
    return Keyed(f"{caller} {key}", sha256(verb.encode() + b"\0" + body).hexdigest())


def kept(keyed: Keyed, reply: Reply) -> bytes:
    """Return what the store keeps of an answer."""
    return encode(_Kept(keyed.request, reply))


def repeated(keyed: Keyed, answer: bytes) -> Reply:
    """Return the answer that was given under a key, or that the key stands for another request."""
    if answer:
        found = _decode(answer)
        if found.request == keyed.request:
            return found.reply
    return refusal(
        "idempotency_key_reused",
        "this Idempotency-Key was used for another request: use a key of its own for each request",
    )


def refusal(code: str, message: str, status: int = 409, **more: Any) -> Reply:
    """Return that a call is refused."""
    return Reply.of({"error": {"code": code, "message": message}, **more}, status)

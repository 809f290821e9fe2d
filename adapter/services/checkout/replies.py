"""What a call is answered, and the answers that are kept under idempotency keys."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

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


class IdempotencyKey(Struct, frozen=True, kw_only=True):
    """An idempotency key with the digest of the request that it stands for; `key` tells callers apart.

    `others` is the digest of the request without its customer, `source_id`: after a merge the same request
    may name the same customer by another id.
    """

    key: str
    request: str
    others: str = ""
    source_id: str = ""

    @property
    def message(self) -> MessageKey:
        """The key under which the store keeps the answer."""
        return _SOURCE, self.key


class _Kept(Struct, frozen=True, array_like=True):
    request: str
    reply: Reply
    others: str = ""
    source_id: str = ""


class Earlier(Struct, frozen=True):
    """The answer to an equal request that named a customer as `source_id`: the same one, or another."""

    reply: Reply
    source_id: str


_decode = msgspec.json.Decoder(_Kept).decode


def keyed(key: str | None, caller: str, verb: str, request: Any) -> IdempotencyKey | None:
    """Return what a call is remembered by, None for a call without a key."""
    if not key:
        return None
    customer: Any = getattr(request, "customer", {})
    source_id = customer.get("source_id", "") if customer else ""
    if not source_id:
        return IdempotencyKey(key=f"{caller} {key}", request=_digest(verb, request))
    others = replace(request, customer={name: of for name, of in customer.items() if name != "source_id"})
    return IdempotencyKey(
        key=f"{caller} {key}",
        request=_digest(verb, request),
        others=_digest(verb, others),
        source_id=source_id,
    )


def _digest(verb: str, request: Any) -> str:
    body = msgspec.json.encode(request, order="deterministic")
    return sha256(verb.encode() + b"\0" + body).hexdigest()


def kept(keyed: IdempotencyKey, reply: Reply, *, owned: bool) -> bytes:
    """Return what the store keeps of an answer.

    The customer is kept only with an answer that is erased with them.
    """
    if not owned:
        return encode(_Kept(keyed.request, reply))
    return encode(_Kept(keyed.request, reply, keyed.others, keyed.source_id))


def repeated(keyed: IdempotencyKey, answer: bytes) -> Reply | Earlier:
    """Return the answer that was given under a key, or that the key stands for another request."""
    if not answer:
        return refusal(
            "answer_erased",
            "the call with this Idempotency-Key was answered, and the answer was erased with its customer: "
            "it is not done again",
        )
    found = _decode(answer)
    if found.request == keyed.request:
        return found.reply
    if found.others and found.others == keyed.others:
        return Earlier(found.reply, found.source_id)
    return reused()


def reused() -> Reply:
    """Return that a key stands for another request."""
    return refusal(
        "idempotency_key_reused",
        "this Idempotency-Key was used for another request: use a key of its own for each request",
    )


def refusal(code: str, message: str, status: int = 409, **more: Any) -> Reply:
    """Return that a call is refused."""
    return Reply.of({"error": {"code": code, "message": message}, **more}, status)


def not_redeemable(code: str, refusal: Any, document: Mapping[str, Any]) -> Reply:
    """Return that a code cannot be redeemed, and nothing was booked."""
    error = {"code": "not_redeemable", "message": refusal.message, "reason": refusal.reason,
             "discount_code": code}  # fmt: skip
    return Reply.of({"error": error, **document}, 409)

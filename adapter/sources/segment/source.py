"""The record of Segment as a source."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from adapter.model import sources
from adapter.settings.values import Settings
from adapter.sources.contract import Form, Source
from adapter.sources.decoded_body import Decoded
from adapter.sources.headers import Headers, authorization, header_value, require_credential, single_spaced
from adapter.sources.segment import webhook


class SegmentVerifier:
    """Verifies X-Signature and the Authorization header, those of the two that are set.

    With `whole_signature_suffices`, a signature over the whole body replaces the Authorization header.
    """

    setting = "segment.shared_secrets"

    def __init__(self, settings: Settings) -> None:
        segment = settings.segment
        self._secrets = [secret.encode() for secret in segment.shared_secrets]
        self._authorizations = [single_spaced(value) for value in segment.authorizations]
        # What the signature covers is known only once the body is there.
        self._waived = bool(self._secrets) and segment.whole_signature_suffices
        self.enabled = bool(self._secrets or self._authorizations)

    def admit(self, headers: Headers) -> None:
        """Verify the Authorization header, unless the signature may replace it."""
        if not (self._waived and b"x-signature" in headers):
            self._authorise(headers)

    def verify(self, body: bytes, headers: Headers) -> Form | None:
        """Verify the signature, and return what it covers."""
        if not self._secrets:
            return None
        form = webhook.verify(body, header_value(headers, b"x-signature"), self._secrets)
        if self._waived and form != "whole":
            self._authorise(headers)
        return form

    def _authorise(self, headers: Headers) -> None:
        if self._authorizations:
            require_credential(
                authorization(headers),
                self._authorizations,
                missing="the Authorization header of `segment.authorizations` is missing",
                wrong="the Authorization header is not one of `segment.authorizations`",
            )


def decode_recorded(body: bytes, received_at: datetime) -> Decoded:
    """Decode a body of a webhook, or a batch of the tracking API."""
    if _is_batch(body):
        return webhook.decode_batch(body, received_at, kind=None)
    return webhook.decode(body, received_at)


def _is_batch(body: bytes) -> bool:
    try:
        value: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return isinstance(value, dict) and isinstance(value.get("batch"), list)


SEGMENT = Source(
    documents=sources.SEGMENT,
    verifier=SegmentVerifier,
    decode=webhook.decode,
    decode_parts=webhook.parts,
    decode_recorded=decode_recorded,
    recognises=lambda item: "type" in item or "batch" in item,
    recorded=lambda document: document,
    sender="a Segment Webhooks destination",
    auth="signature",
    headers={"X-Signature": "Hex HMAC-SHA1 of the body (of a batch, of its first element)"},
)

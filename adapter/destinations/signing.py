"""Signatures of the Standard Webhooks specification, 1.0.0 (`v1`: HMAC-SHA256 of id, timestamp and body)."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from datetime import datetime

#: Bytes that the specification asks of a secret.
SHORTEST, LONGEST = 24, 64


class SigningSecret:
    """One secret, `whsec_` and base64 of 24 to 64 bytes.

    Raises ValueError with what to write when the text is not such a secret; the text is not in it.
    """

    def __init__(self, text: str) -> None:
        encoded = text.removeprefix("whsec_").rstrip("=")
        try:
            key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
        except ValueError as error:
            raise ValueError(_EXPECTED) from error
        if not SHORTEST <= len(key) <= LONGEST:
            raise ValueError(_EXPECTED)
        self._key = key

    def sign(self, signed: bytes) -> str:
        """Return `v1,` and the signature of the signed text."""
        return "v1," + base64.b64encode(hmac.digest(self._key, signed, "sha256")).decode()


_EXPECTED = (
    f"a signing secret is `whsec_` followed by base64 of {SHORTEST} to {LONGEST} random bytes:"
    ' make one with `echo "whsec_$(openssl rand -base64 32)"`'
)


def signature_headers(
    secrets: Sequence[SigningSecret], message_id: str, now: datetime, body: bytes
) -> dict[str, str]:
    """Return the three `webhook-` headers, signed with every secret."""
    seconds = str(int(now.timestamp()))
    signed = f"{message_id}.{seconds}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join([secret.sign(signed) for secret in secrets]),
    }

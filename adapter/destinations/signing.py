"""Signatures of the Standard Webhooks specification, 1.0.0 (`v1`: HMAC-SHA256 of id, timestamp and body)."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks.webhooks import Webhook

#: Bytes that the specification asks of a secret.
SHORTEST, LONGEST = 24, 64


class SigningSecret:
    """One secret, `whsec_` and base64 of 24 to 64 bytes; valid until `not_after`, without it for ever.

    Raises ValueError with what to write when the text is not such a secret; the text is not in it.
    """

    def __init__(self, text: str, not_after: datetime | None = None) -> None:
        encoded = text.removeprefix("whsec_").rstrip("=")
        try:
            key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
        except ValueError as error:
            raise ValueError(_EXPECTED) from error
        if not SHORTEST <= len(key) <= LONGEST:
            raise ValueError(_EXPECTED)
        self._webhook = Webhook(key)
        self.not_after = not_after

    def valid_at(self, now: datetime) -> bool:
        """Say whether it still signs."""
        return self.not_after is None or now < self.not_after

    def sign(self, message_id: str, now: datetime, body: str) -> str:
        """Return `v1,` and the signature."""
        # The library replaces the time zone instead of converting to UTC.
        return str(self._webhook.sign(message_id, now.astimezone(UTC), body))


_EXPECTED = (
    f"a signing secret is `whsec_` followed by base64 of {SHORTEST} to {LONGEST} random bytes:"
    ' make one with `echo "whsec_$(openssl rand -base64 32)"`'
)


def signature_headers(
    secrets: Sequence[SigningSecret], message_id: str, now: datetime, body: bytes
) -> dict[str, str] | None:
    """Return the three `webhook-` headers, signed with every valid secret; None without one."""
    text = body.decode()
    signatures = [secret.sign(message_id, now, text) for secret in secrets if secret.valid_at(now)]
    if not signatures:
        return None
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }

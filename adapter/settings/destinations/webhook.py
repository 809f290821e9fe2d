"""The settings of a webhook that speaks Standard Webhooks."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator
from typing import Literal

from adapter.settings.destinations.base import (
    Wrong,
    url_problems,
    variable,
)
from adapter.settings.destinations.forwarding import ForwardingSettings
from adapter.settings.scalars import Secrets

_FORM = "write `whsec_` and then 24 to 64 random bytes in base64"


class Webhook(ForwardingSettings, frozen=True, kw_only=True):
    """A destination of type `webhook`: it receives the `events`, all where none is named."""

    type: Literal["webhook"] = "webhook"
    url: str = ""
    secrets: Secrets = ()

    def problems(self, name: str) -> Iterator[Wrong]:
        """Yield what is wrong with the settings of a webhook."""
        yield from super().problems(name)
        yield from url_problems("url", self.url, private=self.allow_private_addresses)
        if not self.secrets:
            remedy = f"set {variable(name, 'secrets')} to a `whsec_...` that the receiver knows"
            yield "secrets", "is empty, but deliveries must be signed", remedy
        if not all(_standard(secret) for secret in self.secrets):
            pasted = any(secret.startswith(("v1,", "v1a,")) for secret in self.secrets)
            remedy = "write `whsec_...` without `v1,`" if pasted else _FORM
            yield "secrets", "has an entry that is not a Standard Webhooks secret", remedy


def _standard(secret: str) -> bool:
    """Whether a secret is `whsec_` and 24 to 64 bytes in base64, as the Standard Webhooks spec says.

    Padding may be missing, as some dashboards show it.
    """
    encoded = secret.removeprefix("whsec_").rstrip("=")
    padded = encoded + "=" * (-len(encoded) % 4)
    try:
        return secret.startswith("whsec_") and 24 <= len(b64decode(padded, validate=True)) <= 64
    except (binascii.Error, ValueError):
        return False

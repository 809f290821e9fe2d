"""The record of mParticle as a source."""

from __future__ import annotations

from typing import Any

from adapter.model import sources
from adapter.settings.values import Settings
from adapter.sources.contract import Form, Source
from adapter.sources.headers import Headers, authorization
from adapter.sources.mparticle import batches, firehose

#: Only mParticle's batches name events, an mpid or identities, and only its Firehose sends requests.
_MEMBERS = frozenset({
    "events", "mpid", "user_identities", "user_attributes", "deleted_user_attributes", "request_type",
})  # fmt: skip


class MParticleVerifier:
    """Verifies the Authorization header."""

    setting = "mparticle.authorizations"

    def __init__(self, settings: Settings) -> None:
        self._accepted = settings.mparticle.authorizations
        self.enabled = bool(self._accepted)

    def admit(self, headers: Headers) -> None:
        """Verify the Authorization header."""
        batches.verify(authorization(headers), self._accepted)

    def verify(self, body: bytes, headers: Headers) -> Form | None:
        """Return None: nothing is signed."""
        del body, headers
        return None


def _recognises(item: dict[str, Any]) -> bool:
    return not _MEMBERS.isdisjoint(item) or firehose.is_request(item)


def _recorded(document: dict[str, Any]) -> dict[str, Any] | None:
    """Return a batch with the one event of a document, or with none, for a snapshot of the customer."""
    raw = document.get("mparticle")
    if not isinstance(raw, dict) or not isinstance(raw.get("batch"), dict) or document.get("type") == "alias":
        return None
    return {**raw["batch"], "events": [raw["event"]] if "event" in raw else []}


MPARTICLE = Source(
    documents=sources.MPARTICLE,
    verifier=MParticleVerifier,
    decode=batches.decode,
    decode_parts=batches.parts,
    decode_recorded=batches.decode,
    recognises=_recognises,
    recorded=_recorded,
    sender="mParticle's Webhook output",
    auth="authorization",
)

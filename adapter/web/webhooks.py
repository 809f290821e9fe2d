"""What Segment's Webhooks destinations and mParticle's Webhook output send."""

from __future__ import annotations

from adapter.sources import mparticle, segment
from adapter.web.answers import Answer, settled
from adapter.web.bodies import Headers
from adapter.web.credentials import authorization, closed, require
from adapter.web.doors import Doors
from adapter.web.endpoints import Endpoint


def endpoints(doors: Doors) -> dict[str, Endpoint]:
    """Return the webhook endpoints by path."""
    return {"/webhooks/segment": _segment(doors), "/webhooks/mparticle": _mparticle(doors)}


def _segment(doors: Doors) -> Endpoint:
    secrets = [secret.encode() for secret in doors.settings.segment.shared_secrets]
    authorizations = doors.settings.segment.authorizations

    def admit(headers: Headers) -> None:
        if authorizations:
            require(
                authorization(headers),
                authorizations,
                missing="the Authorization header of `segment.authorizations` is missing",
                wrong="the Authorization header is not one of `segment.authorizations`",
            )
        elif not secrets and not doors.unguarded:
            raise closed("segment.shared_secrets")

    async def handle(body: bytes, headers: Headers) -> Answer:
        if secrets:
            signature = headers.get(b"x-signature")
            segment.verify(body, signature.decode("latin-1") if signature else None, secrets)
        decoded = segment.decode(body, doors.clock())
        return settled(await doors.ingest.receive(decoded, len(body)))

    return Endpoint("webhooks_segment", doors, handle, admit=admit)


def _mparticle(doors: Doors) -> Endpoint:
    accepted = doors.settings.mparticle.authorizations

    def admit(headers: Headers) -> None:
        if accepted:
            mparticle.verify(authorization(headers), accepted)
        elif not doors.unguarded:
            raise closed("mparticle.authorizations")

    async def handle(body: bytes, _headers: Headers) -> Answer:
        decoded = mparticle.decode(body, doors.clock())
        return settled(await doors.ingest.receive(decoded, len(body)))

    return Endpoint("webhooks_mparticle", doors, handle, admit=admit)

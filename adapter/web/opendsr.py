"""Data subject requests that mParticle forwards, and the status of others."""

from __future__ import annotations

import logging
from base64 import b64encode

from msgspec import Struct

from adapter.errors import Refused, Unreadable
from adapter.model.emails import normal
from adapter.model.encoding import encode
from adapter.model.ids import invalid_id_reason
from adapter.sources import opendsr
from adapter.sources.headers import Headers, header_value
from adapter.web.auth import disabled
from adapter.web.context import WebContext
from adapter.web.endpoints import Endpoint
from adapter.web.responses import HttpResponse
from adapter.web.route import OBJECT, IngestRoute, Parameter, Route

_log = logging.getLogger(__name__)
#: The types of identity by which a customer is found.
_LOOKUP_TYPES = ("customer_id", "mpid", "email")


class Accepted(Struct):
    """The response to a request: when it was received, when it is done, and the request in base64."""

    controller_id: str
    subject_request_id: str
    received_time: str
    expected_completion_time: str
    encoded_request: str


def _endpoint(context: WebContext, label: str) -> Endpoint:
    certificate, domain = context.in_force.opendsr, context.settings.mparticle.opendsr_domain

    def admit(_headers: Headers) -> None:
        if certificate is None:
            raise disabled("mparticle.opendsr_certificate")

    async def handle(body: bytes, headers: Headers) -> HttpResponse:
        assert certificate is not None  # noqa: S101 - `admit` has checked it
        now = context.clock()
        certificate.verify(
            body,
            header_value(headers, b"x-opendsr-signature"),
            header_value(headers, b"x-opendsr-processor-domain"),
            domain,
            now,
        )
        request = opendsr.decode(body)
        if isinstance(request, opendsr.StatusChange):
            _log.info(
                "the status of a data subject request has changed", extra={"status": request.status[:40]}
            )
            return HttpResponse(202)
        await _erase(context, request)
        done = context.clock()
        accepted = Accepted(
            request.controller_id, request.request_id, f"{now:%Y-%m-%dT%H:%M:%SZ}",
            f"{done:%Y-%m-%dT%H:%M:%SZ}", b64encode(body).decode(),
        )  # fmt: skip
        return HttpResponse(202, encode(accepted))

    return Endpoint(label, context, handle, admit=admit)


async def _erase(context: WebContext, demand: opendsr.Demand) -> None:
    if demand.kind != "erasure":
        raise Refused(
            f"{demand.kind} requests are not supported here; use GET /v1/customers/SOURCE_ID/export"
        )
    named = [
        (kind, value)
        for kind, value in demand.identities
        if kind in _LOOKUP_TYPES and not invalid_id_reason(value)
    ]
    if not named:
        raise Unreadable(f"the request has no unhashed identity of type {', '.join(_LOOKUP_TYPES)}")
    for kind, value in named:
        address = kind == "email" and normal(value) is not None
        erase = context.privacy.erase_address if address else context.privacy.erase
        await erase(value, "opendsr", demand.request_id)


ROUTES: tuple[Route, ...] = (
    IngestRoute(
        path="/webhooks/mparticle/opendsr",
        label="webhooks_mparticle_opendsr",
        make=_endpoint,
        operation_id="opendsr",
        summary="Receive a data subject request, or the status of another one",
        auth="signature",
        body=OBJECT,
        responses={202: Accepted},
        parameters=(
            Parameter(
                "X-OpenDSR-Signature",
                "header",
                description="RSA (PKCS#1 v1.5, SHA-256) over the body, in base64",
            ),
            Parameter("X-OpenDSR-Processor-Domain", "header", description="The domain that has signed"),
        ),
    ),
)

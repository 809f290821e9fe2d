"""Webhooks: requests of Segment's Webhooks destinations, and of mParticle's Webhook output and Firehose."""

from __future__ import annotations

import logging
from asyncio import to_thread
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from msgspec import Struct

from adapter.metrics import Metrics
from adapter.model.encoding import encode
from adapter.services.ingest.result import Result
from adapter.sources import payloads
from adapter.sources.mparticle import batches, firehose
from adapter.sources.segment import webhook
from adapter.web.auth import admit_local, authorization, header_value, require_credential, single_spaced
from adapter.web.context import WebContext
from adapter.web.endpoints import Endpoint
from adapter.web.request_body import Headers
from adapter.web.responses import HttpResponse, results_response
from adapter.web.route import OBJECT, IngestRoute, Json, Parameter, Route

_log = logging.getLogger(__name__)
#: Returns what makes the response from the results, by the body and the current time. May raise Unreadable.
ResponseBuilder = Callable[[bytes, datetime], Callable[[Sequence[Result]], HttpResponse]]


class Settled(Struct, omit_defaults=True):
    """The results of the messages of one request.

    `results` has those of all messages where they fit into 16 KB. Where they do not, `counts` has the number
    of messages by outcome, `results` those with a discount, an error or in quarantine, and `truncated` says
    whether some of these were left out.
    """

    results: list[Result]
    counts: dict[str, int] = {}
    truncated: bool = False


def _segment(context: WebContext, label: str) -> Endpoint:
    secrets = [secret.encode() for secret in context.settings.segment.shared_secrets]
    authorizations = [single_spaced(value) for value in context.settings.segment.authorizations]
    # A signature over the whole body replaces the header, and can be verified only once the body is complete.
    waived = bool(secrets) and context.settings.segment.whole_signature_suffices
    auth_disabled, threshold, bounds = context.auth_disabled, context.slice_threshold, context.bounds
    signatures = _Signatures(context.metrics)

    def authorise(headers: Headers) -> None:
        if authorizations:
            require_credential(
                authorization(headers),
                authorizations,
                missing="the Authorization header of `segment.authorizations` is missing",
                wrong="the Authorization header is not one of `segment.authorizations`",
            )
        elif not secrets:
            admit_local(headers, "segment.shared_secrets", auth_disabled=auth_disabled)

    def admit(headers: Headers) -> None:
        if not (waived and b"x-signature" in headers):
            authorise(headers)

    async def handle(body: bytes, headers: Headers) -> HttpResponse:
        if secrets:
            form = webhook.verify(body, header_value(headers, b"x-signature"), secrets)
            signatures.note(body, form)
            if waived and form != "whole":
                authorise(headers)
        now = context.clock()
        if len(body) < threshold:
            return results_response(await context.ingest.receive(webhook.decode(body, now), len(body)))
        parts = await to_thread(webhook.parts, body, now, bounds)
        return results_response(await context.ingest.receive_parts(parts))

    return Endpoint(label, context, handle, admit=admit)


class _Signatures:
    """Counts what verified signatures cover, and logs the first that covers a whole batch."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics.signatures
        self._counts: Counter[tuple[str, webhook.Form]] = Counter()
        self._logged = False
        for body in ("message", "batch"):
            for form in webhook.FORMS:
                self._metrics.labels(body, form)
        metrics.keep_up(self._flush)

    def note(self, body: bytes, form: webhook.Form) -> None:
        """Count a body whose signature has been verified."""
        batch = payloads.is_array(body)
        self._counts["batch" if batch else "message", form] += 1
        if batch and form == "whole" and not self._logged:
            self._logged = True
            _log.info("Segment signs whole batches: every message of such a batch is authenticated")

    def _flush(self) -> None:
        counts, self._counts = self._counts, Counter()
        for labels, count in counts.items():
            self._metrics.labels(*labels).inc(count)


def _results(_body: bytes, _now: datetime) -> Callable[[Sequence[Result]], HttpResponse]:
    return results_response


def _firehose(body: bytes, now: datetime) -> Callable[[Sequence[Result]], HttpResponse]:
    response = HttpResponse(200, encode(firehose.response(body, now)))
    return lambda _: response


def _mparticle(context: WebContext, label: str, builder: ResponseBuilder) -> Endpoint:
    """Return an endpoint for mParticle; `builder` makes its responses."""
    accepted, auth_disabled = context.settings.mparticle.authorizations, context.auth_disabled
    threshold, bounds = context.slice_threshold, context.bounds

    def admit(headers: Headers) -> None:
        if accepted:
            batches.verify(authorization(headers), accepted)
        else:
            admit_local(headers, "mparticle.authorizations", auth_disabled=auth_disabled)

    async def handle(body: bytes, _headers: Headers) -> HttpResponse:
        now = context.clock()
        respond = builder(body, now)
        if len(body) < threshold:
            return respond(await context.ingest.receive(batches.decode(body, now), len(body)))
        parts = await to_thread(batches.parts, body, now, bounds)
        return respond(await context.ingest.receive_parts(parts))

    return Endpoint(label, context, handle, admit=admit)


_OBJECT_OR_ARRAY: Json = {"type": ["object", "array"]}
ROUTES: tuple[Route, ...] = (
    IngestRoute(
        path="/webhooks/segment",
        label="webhooks_segment",
        make=_segment,
        operation_id="segmentWebhook",
        summary="Receive the requests of a Segment Webhooks destination",
        auth="signature",
        body=_OBJECT_OR_ARRAY,
        responses={200: Settled},
        parameters=(
            Parameter(
                "X-Signature",
                "header",
                description="Hex HMAC-SHA1 of the body (of a batch, of its first element)",
            ),
        ),
    ),
    IngestRoute(
        path="/webhooks/mparticle",
        label="webhooks_mparticle",
        make=partial(_mparticle, builder=_results),
        operation_id="mparticleWebhook",
        summary="Receive the requests of mParticle's Webhook output",
        auth="authorization",
        body=_OBJECT_OR_ARRAY,
        responses={200: Settled},
    ),
    IngestRoute(
        path="/webhooks/mparticle/firehose",
        label="webhooks_mparticle_firehose",
        make=partial(_mparticle, builder=_firehose),
        operation_id="mparticleFirehose",
        summary="Receive a request of mParticle's Firehose: audiences",
        auth="authorization",
        body=OBJECT,
        responses={200: OBJECT},
    ),
)

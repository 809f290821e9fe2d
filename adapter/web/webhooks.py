"""Webhooks: the requests of each source, and of mParticle's Firehose."""

from __future__ import annotations

import logging
from asyncio import to_thread
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from msgspec import Struct

from adapter.errors import Unreadable
from adapter.metrics import Metrics
from adapter.model.encoding import encode
from adapter.services.ingest.result import Result
from adapter.sources import payloads
from adapter.sources.contract import FORMS, Form, Source
from adapter.sources.headers import Headers
from adapter.sources.mparticle import firehose
from adapter.sources.mparticle.source import MPARTICLE
from adapter.sources.registry import SOURCES
from adapter.web.auth import admit_local
from adapter.web.context import WebContext
from adapter.web.endpoints import Endpoint
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


def _endpoint(context: WebContext, label: str, source: Source, builder: ResponseBuilder) -> Endpoint:
    """Return an endpoint for a source; `builder` makes its responses."""
    verifier = source.verifier(context.settings)
    auth_disabled, threshold, bounds = context.auth_disabled, context.slice_threshold, context.bounds
    signatures = context.counts_of("signatures", _Signatures) if source.auth == "signature" else None

    def admit(headers: Headers) -> None:
        if verifier.enabled:
            verifier.admit(headers)
        else:
            admit_local(headers, verifier.setting, auth_disabled=auth_disabled)

    async def handle(body: bytes, headers: Headers) -> HttpResponse:
        form = verifier.verify(body, headers)
        if form is not None and signatures is not None:
            signatures.note(body, form)
        now = context.clock()
        try:
            respond = builder(body, now)
            if len(body) < threshold:
                return respond(await context.ingest.receive(source.decode(body, now), len(body)))
            parts = await to_thread(source.decode_parts, body, now, bounds)
            return respond(await context.ingest.receive_parts(parts))
        except Unreadable as error:
            context.ingest.note_refused(source.name, body, error, now)
            raise

    return Endpoint(label, context, handle, admit=admit)


class _Signatures:
    """Counts what verified signatures cover, and logs the first that covers a whole batch."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics.signatures
        self._counts: Counter[tuple[str, Form]] = Counter()
        self._logged = False
        for body in ("message", "batch"):
            for form in FORMS:
                self._metrics.labels(body, form)
        metrics.register_flush(self._flush)

    def note(self, body: bytes, form: Form) -> None:
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


def _route(source: Source) -> IngestRoute:
    return IngestRoute(
        path=f"/webhooks/{source.name}",
        label=f"webhooks_{source.name}",
        make=partial(_endpoint, source=source, builder=_results),
        operation_id=f"{source.name}Webhook",
        summary=f"Receive the requests of {source.sender}",
        auth=source.auth,
        body=_OBJECT_OR_ARRAY,
        responses={200: Settled},
        parameters=tuple(
            Parameter(name, "header", description=meaning) for name, meaning in source.headers.items()
        ),
    )


_OBJECT_OR_ARRAY: Json = {"type": ["object", "array"]}
ROUTES: tuple[Route, ...] = (
    *map(_route, SOURCES.values()),
    IngestRoute(
        path="/webhooks/mparticle/firehose",
        label="webhooks_mparticle_firehose",
        make=partial(_endpoint, source=MPARTICLE, builder=_firehose),
        operation_id="mparticleFirehose",
        summary="Receive a request of mParticle's Firehose: audiences",
        auth="authorization",
        body=OBJECT,
        responses={200: OBJECT},
    ),
)

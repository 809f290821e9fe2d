"""The description of this API in OpenAPI 3.1; schemas come from the values themselves."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from adapter import __version__
from adapter.model.customers import Customer
from adapter.model.decisions import Decision
from adapter.model.deliveries import Pause
from adapter.model.discounts import Discount
from adapter.model.erasures import Receipt
from adapter.model.events import Event
from adapter.model.ignored import Ignored
from adapter.model.pending import PendingMove
from adapter.model.quarantine import Quarantined, Unmapped
from adapter.services.delivery.retries import Retried
from adapter.services.health import Check
from adapter.services.ingest.result import Result
from adapter.services.privacy.export import Export
from adapter.web.discounts_api import MAX_KEY, VERBS, Entry, Move
from adapter.web.opendsr import Accepted
from adapter.web.tracking import PATHS

Json = dict[str, Any]


class Settled(Struct, omit_defaults=True):
    """What became of the messages of one request.

    `results` has every message's where they fit into 16 KB. Where they do not, `counts` has how many there
    were by outcome, `results` those with a discount, an error or in quarantine, and `truncated` says whether
    some of these were left out.
    """

    results: list[Result]
    counts: dict[str, int] = {}
    truncated: bool = False


class ErrorDetail(Struct):
    """`code` is for programs, `message` for people; docs/errors.md explains every code."""

    code: str
    message: str


class Error(Struct):
    """An error in our own shape."""

    error: ErrorDetail


class EventsApiErrors(Struct):
    """Errors in the shape of mParticle's Events API."""

    errors: list[ErrorDetail]


class Discounts(Struct):
    """A customer's discounts, newest first: a page, and what gives the `next` one as `before`."""

    discounts: list[Discount]
    next: str | None


class Events(Struct):
    """A customer's events, latest first: a page, and what gives the `next` one as `before`."""

    events: list[Event]
    next: str | None


class PendingMoves(Struct):
    """Moves of discounts that wait until two customers are merged, or were refused then; oldest first."""

    pending_moves: list[PendingMove]


class Decisions(Struct):
    """A customer's decisions, newest first: a page, and what gives the `next` one as `before`.

    The first page has the latest quarantined messages that name the customer too.
    """

    decisions: list[Decision]
    next: str | None
    quarantined: list[Unmapped] = []


class IgnoredMessages(Struct):
    """Which messages no mapping takes, of all customers, the latest first."""

    ignored: list[Ignored]


class Quarantine(Struct):
    """The latest quarantined messages, each with the reason why it is there."""

    quarantined: list[Entry]


class Pauses(Struct):
    """Which destinations are sent nothing now, until when, and why."""

    pauses: list[Pause]


class Readiness(Struct):
    """Whether requests can be taken now, check by check."""

    ready: bool
    checks: list[Check]


_SCHEMAS = (
    Settled, Error, EventsApiErrors, Discounts, Events, PendingMoves, Decisions, IgnoredMessages, Quarantine,
    Quarantined, Pauses, Retried, Readiness, Customer, Move, Receipt, Export, Accepted,
)  # fmt: skip
_WORDS = {400: "The body cannot be read", 401: "Credentials are missing", 403: "Credentials are wrong",
          404: "There is nothing under that name", 409: "The discount cannot move there",
          413: "The body is too large", 503: "Try again after `Retry-After` seconds"}  # fmt: skip
_PUBLIC: list[Json] = [{}]


def document() -> Json:
    """Return the OpenAPI document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Behaviour Discounts adapter",
            "version": __version__,
            "description": "Receives what Segment and mParticle send, and issues the discounts it earns.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": {**_webhooks(), **_tracking(), **_events_api(), **_api(), **_operations()},
        "components": {"schemas": _schemas(), "securitySchemes": _security()},
    }


def _webhooks() -> Json:
    array_or_object = _body({"type": ["object", "array"]})
    settled = _answers("Settled", 400, 401, 403, 413, 503)
    signature = {"name": "X-Signature", "in": "header", "schema": {"type": "string"},
                 "description": "Hex HMAC-SHA1 of the body (of a batch, of its first element)"}  # fmt: skip
    accepted = _answers(None, 400, 401, 403, 413, 503)
    accepted["202"] = {"description": "Done", "content": {"application/json": {"schema": _ref("Accepted")}}}
    firehose = _answers(None, 400, 401, 403, 413, 503)
    firehose["200"] = {
        "description": "Taken",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
    signed = [
        _header("X-OpenDSR-Signature", "RSA (PKCS#1 v1.5, SHA-256) over the body, in base64"),
        _header("X-OpenDSR-Processor-Domain", "Who has signed"),
    ]
    return {
        "/webhooks/mparticle/opendsr": {
            "post": _operation("opendsr", "Take a data subject request, or word of another's progress",
                               accepted, _PUBLIC, _body({"type": "object"}), parameters=signed)
        },
        "/webhooks/segment": {
            "post": _operation("segmentWebhook", "Take what a Segment Webhooks destination sends",
                               settled, _PUBLIC, array_or_object, parameters=[signature])
        },
        "/webhooks/mparticle/firehose": {
            "post": _operation("mparticleFirehose", "Take a request of mParticle's Firehose: audiences",
                               firehose, [{"authorization": []}, {}], _body({"type": "object"}))
        },
        "/webhooks/mparticle": {
            "post": _operation("mparticleWebhook", "Take what mParticle's Webhook output sends",
                               settled, [{"authorization": []}, {}], array_or_object)
        },
    }  # fmt: skip


def _tracking() -> Json:
    answers = _answers(None, 400, 401, 403, 413, 503)
    success = {"type": "object", "properties": {"success": {"const": True}}, "required": ["success"]}
    answers["200"] = {"description": "Taken", "content": {"application/json": {"schema": success}}}
    return {
        f"/v1/{kind}": {
            "post": _operation(f"tracking_{kind}", f"Segment's tracking API: {kind}",
                               answers, [{"writeKey": []}, {}], _body({"type": "object"}))
        }
        for kind in PATHS
    }  # fmt: skip


def _events_api() -> Json:
    answers = _answers(None, 400, 401, 403, 413, 503, error="EventsApiErrors")
    answers["202"] = {"description": "Taken"}
    kinds = {"events": ("one batch", "object"), "bulkevents": ("a list of batches", "array")}
    return {
        f"/v2/{path}": {
            "post": _operation(f"eventsApi_{path}", f"mParticle's Events API: {what}",
                               answers, [{"keyAndSecret": []}, {}], _body({"type": kind}))
        }
        for path, (what, kind) in kinds.items()
    }  # fmt: skip


def _api() -> Json:
    code, customer = _parameter("code", "path"), _parameter("source_id", "path")
    before = _parameter("before", "query", required=False)
    key = {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": MAX_KEY},
           "description": "A call repeated with the same key gets the first one's answer"}  # fmt: skip
    paths: Json = {
        "/v1/discounts/{code}": {"get": _read("getDiscount", "Read a discount", "Discount", [code], 404)},
        "/v1/customers/{source_id}": {
            "get": _read("getCustomer", "Read a customer", "Customer", [customer], 404),
            "delete": _read("eraseCustomer", "Erase all that is held of a person", "Receipt",
                            [customer], 404),
        },
        "/v1/customers/{source_id}/export": {
            "get": _read("exportCustomer", "Return all that is held of a person", "Export", [customer], 404)
        },
        "/v1/decisions": {
            "get": _read("listDecisions", "Why a customer's events earned something, or did not", "Decisions",
                         [_parameter("source_id", "query"), _parameter("event_id", "query", required=False),
                          before], 400)
        },
        "/v1/ignored": {
            "get": _read("listIgnored", "Which messages no mapping takes", "IgnoredMessages", [])
        },
        "/v1/quarantine": {
            "get": _read("listQuarantine", "What could not be mapped or decided, and why", "Quarantine",
                         [_number("before", "Only what has an `id` below this one")], 400)
        },
        "/v1/quarantine/{id}": {
            "get": _read("getQuarantined", "Return a quarantined message, whole", "Quarantined",
                         [_parameter("id", "path")], 404)
        },
        "/v1/deliveries/pauses": {
            "get": _read("listPauses", "Which destinations are sent nothing now, and why", "Pauses", [])
        },
        "/v1/deliveries/retries": {
            "post": _read("retryDeliveries", "Send again what was given up, and end pauses", "Retried",
                          [_parameter("destination", "query", required=False)], 404)
        },
    }  # fmt: skip
    for name, path, asked in (
        ("listPendingMoves", "/v1/customers/{source_id}/pending-moves", customer),
        ("listPendingMovesOfDiscount", "/v1/discounts/{code}/pending-moves", code),
    ):
        statuses = (404,) if asked is code else ()
        summary = "List moves that wait until two customers are merged"
        paths[path] = {"get": _read(name, summary, "PendingMoves", [asked], *statuses)}
    for what in ("discounts", "events"):
        operation = _read(f"list{what.title()}", f"List a customer's {what}", what.title(),
                          [customer, before], 400)  # fmt: skip
        paths[f"/v1/customers/{{source_id}}/{what}"] = {"get": operation}
    for verb in VERBS:
        answers = _answers("Discount", 400, 401, 403, 404, 409, 413, 503)
        body = _body(_ref("Move"), required=False)
        operation = _operation(
            f"{verb}Discount", f"{verb.title()} a discount", answers, _TOKEN, body, parameters=[code, key]
        )
        paths[f"/v1/discounts/{{code}}/{verb}"] = {"post": operation}
    return paths


def _operations() -> Json:
    def answered(kind: str, schema: Json) -> Json:
        return {"description": "As asked", "content": {kind: {"schema": schema}}}

    live, whole = answered("application/json", {"type": "object"}), answered("text/plain", {"type": "string"})
    ready = answered("application/json", _ref("Readiness"))
    return {
        "/health/live": {"get": _operation("live", "Is the process alive", {"200": live}, _PUBLIC)},
        "/health/ready": {
            "get": _operation("ready", "Can it take requests now", {"200": ready, "503": ready}, _PUBLIC)
        },
        "/metrics": {
            "get": _operation(
                "metrics", "Prometheus' metrics", {**_answers(None, 401, 403), "200": whole}, _TOKEN
            )
        },
        "/openapi.json": {"get": _operation("openapi", "This document", {"200": live}, _PUBLIC)},
    }


_TOKEN: list[Json] = [{"token": []}, {}]


def _read(name: str, summary: str, schema: str, parameters: list[Json], *statuses: int) -> Json:
    return _operation(
        name, summary, _answers(schema, *statuses, 401, 403, 503), _TOKEN, parameters=parameters
    )


def _operation(
    name: str,
    summary: str,
    answers: Json,
    security: list[Json],
    body: Json | None = None,
    *,
    parameters: list[Json] | None = None,
) -> Json:
    operation: Json = {"operationId": name, "summary": summary, "security": security, "responses": answers}
    if body:
        operation["requestBody"] = body
    if parameters:
        operation["parameters"] = parameters
    return operation


def _answers(schema: str | None, *statuses: int, error: str = "Error") -> Json:
    answers: Json = {}
    if schema:
        answers["200"] = {
            "description": "As asked",
            "content": {"application/json": {"schema": _ref(schema)}},
        }
    for status in statuses:
        content = {"application/json": {"schema": _ref(error)}}
        answers[str(status)] = {"description": _WORDS[status], "content": content}
    return answers


def _body(schema: Json, *, required: bool = True) -> Json:
    return {"required": required, "content": {"application/json": {"schema": schema}}}


def _parameter(name: str, place: str, *, required: bool = True) -> Json:
    return {"name": name, "in": place, "required": required, "schema": {"type": "string"}}


def _number(name: str, description: str) -> Json:
    schema = {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}
    return {"name": name, "in": "query", "schema": schema, "description": description}


def _header(name: str, description: str) -> Json:
    return {"name": name, "in": "header", "schema": {"type": "string"}, "description": description}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _schemas() -> Json:
    _, schemas = msgspec.json.schema_components(_SCHEMAS, ref_template="#/components/schemas/{name}")
    numeric: Json = _with_numbers(schemas)
    return numeric


def _with_numbers(schema: Any) -> Any:
    """Return a schema with decimals as the numbers as which they leave, not as the text msgspec assumes."""
    if isinstance(schema, list):
        return [_with_numbers(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "decimal":
        return {"type": "number"}
    return {key: _with_numbers(value) for key, value in schema.items()}


def _security() -> Json:
    return {
        "token": {"type": "http", "scheme": "bearer", "description": "One of `api.tokens`"},
        "writeKey": {"type": "http", "scheme": "basic", "description": "The write key as user, no password"},
        "keyAndSecret": {"type": "http", "scheme": "basic", "description": "mParticle's key and secret"},
        "authorization": {"type": "apiKey", "in": "header", "name": "Authorization",
                          "description": "One of `mparticle.authorizations`, whole"},
    }  # fmt: skip

"""The OpenAPI document against the API."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from adapter.web.openapi import document
from adapter.web.route import IngestRoute, Route
from adapter.web.routes import ROUTES

Connect = Callable[..., httpx.AsyncClient]


def valid(value: Any, schema: str) -> None:
    described = json.loads(json.dumps(document(ROUTES)))
    Draft202012Validator({"$ref": f"#/components/schemas/{schema}", **described}).validate(value)


@pytest.mark.slow
def test_the_document_is_valid_openapi() -> None:
    OpenAPIV31SpecValidator(json.loads(json.dumps(document(ROUTES)))).validate()


def test_the_document_has_every_route_of_the_running_application_and_no_other(app: Any) -> None:
    running = app()
    hot = {("post", path.decode()) for path in running.hot if not path.endswith(b"/")}
    rest = {
        (method.lower(), route.path.replace(":path}", "}"))
        for route in running.starlette.routes
        for method in route.methods - {"HEAD"}
    }
    described = {(method, path) for path, item in document(ROUTES)["paths"].items() for method in item}
    assert described == hot | rest


def test_labels_and_operation_ids_are_unique_where_they_must_be() -> None:
    operations = [route.operation_id for route in ROUTES]
    assert len(operations) == len(set(operations))
    labels = [route.label for route in ROUTES if not isinstance(route, IngestRoute)]
    assert len(labels) == len(set(labels))


SECRETS = {
    "api__tokens": ("token",),
    "segment__write_keys": ("key",),
    "segment__shared_secrets": ("secret",),
    "mparticle__api_keys": ("key:secret",),
    "mparticle__authorizations": ("authorization",),
}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation_id)
async def test_a_route_requires_the_credential_that_it_documents(
    route: Route, connect: Connect, services: Any
) -> None:
    path = route.documented_path.replace("{", "").replace("}", "")
    content = b'{"type": "track"}' if route.body is not None else b""
    response = await connect(**SECRETS).request(route.method, path, content=content)
    documented = set(document(ROUTES)["paths"][route.documented_path][route.method.lower()]["responses"])
    assert str(response.status_code) in documented
    refused = route.auth != "none" and path != "/v1/m"
    assert (response.status_code in {401, 403}) == refused
    assert (services.taken, services.moves, services.erased) == ([], [], [])


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("/v1/discounts/HV15-8K2F", "Discount"),
        ("/v1/customers/user/123/discounts", "Discounts"),
        ("/v1/customers/user/123/events", "Events"),
        ("/v1/customers/user/123", "Customer"),
        ("/v1/customers/user/123/export", "Export"),
        ("/v1/decisions?source_id=u", "Decisions"),
        ("/v1/ignored", "IgnoredMessages"),
        ("/v1/quarantine", "Quarantine"),
        ("/v1/deliveries/pauses", "Pauses"),
        ("/v1/deliveries?status=dead", "Deliveries"),
        ("/v1/quarantine/8", "Quarantined"),
        ("/health/ready", "Readiness"),
        ("/nowhere", "Error"),
    ],
)
async def test_answers_are_as_described(path: str, schema: str, connect: Connect) -> None:
    valid((await connect().get(path)).json(), schema)


async def test_an_erasure_is_answered_as_described(connect: Connect) -> None:
    valid((await connect().delete("/v1/customers/user/123")).json(), "Receipt")


async def test_a_retry_is_answered_as_described(connect: Connect) -> None:
    valid((await connect().post("/v1/deliveries/retries?destination=webhook")).json(), "Retried")


async def test_a_webhook_answer_is_as_described(connect: Connect) -> None:
    response = await connect().post("/webhooks/segment", json=[{"type": "track", "messageId": "m"}, 7])
    assert len(response.json()["results"]) == 2
    valid(response.json(), "Settled")


async def test_the_document_is_served(connect: Connect) -> None:
    assert (await connect().get("/openapi.json")).json() == json.loads(json.dumps(document(ROUTES)))

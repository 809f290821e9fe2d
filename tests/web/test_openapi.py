"""The description of the API against the API."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from adapter.web import application, discounts_api, health
from adapter.web.openapi import document

Connect = Callable[..., httpx.AsyncClient]


def valid(value: Any, schema: str) -> None:
    described = json.loads(json.dumps(document()))
    Draft202012Validator({"$ref": f"#/components/schemas/{schema}", **described}).validate(value)


def test_the_document_is_valid_openapi() -> None:
    OpenAPIV31SpecValidator(json.loads(json.dumps(document()))).validate()


def test_every_route_is_described_and_nothing_else(doors: Any) -> None:
    hot = {("post", path) for path in application.hot_paths(doors()) if not path.endswith("/")}
    rest = {
        (method.lower(), route.path.replace(":path}", "}"))
        for route in (*discounts_api.routes(doors()), *health.routes(doors()))
        for method in (route.methods or set()) - {"HEAD"}
    }
    described = {(method, path) for path, item in document()["paths"].items() for method in item}
    assert described == hot | rest


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
    answer = await connect().post("/webhooks/segment", json=[{"type": "track", "messageId": "m"}, 7])
    assert len(answer.json()["results"]) == 2
    valid(answer.json(), "Settled")


async def test_the_document_is_served(connect: Connect) -> None:
    assert (await connect().get("/openapi.json")).json() == json.loads(json.dumps(document()))

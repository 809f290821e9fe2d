"""The OpenAPI document of the pages' twins."""

from __future__ import annotations

import json
from typing import Any, get_type_hints

from msgspec import Struct, defstruct
from msgspec.json import schema_components
from openapi_spec_validator import OpenAPIV31SpecValidator

from adapter.console.openapi import document
from adapter.console.page import Page
from adapter.console.pages import PAGES
from adapter.web.route import Error
from tests.console.opened import BASE, console_settings, opened

WRITTEN: dict[str, Any] = json.loads(json.dumps(document(PAGES)))


def test_the_document_is_valid_openapi() -> None:
    OpenAPIV31SpecValidator(WRITTEN).validate()


def test_every_page_has_its_twin_described_with_each_name_of_its_url() -> None:
    found = {
        path: {each["name"] for each in item["get"].get("parameters", ())}
        for path, item in WRITTEN["paths"].items()
    }
    assert found == {f"{page.path}.json": set(page.query.__struct_encode_fields__) for page in PAGES}


class _Query(Struct):
    """Which
    of them.
    """

    id: str
    count: int = 3
    before: str | None = None


class Amount(Struct):
    """A type whose name another module has too."""

    shown: int


async def _view(_context: Any, _query: Any, _visitor: Any) -> Amount:
    return Amount(1)


def test_the_description_of_a_twin_follows_from_its_page() -> None:
    page = Page(path="/console/x", template="x.html", title="X", view=_view, query=_Query, statuses=(404,))
    operation = document([page])["paths"]["/console/x.json"]["get"]
    assert operation["description"] == "Which of them. Needs the role `read`."
    assert list(operation["parameters"]) == [
        {"name": "id", "in": "query", "required": True, "schema": {"type": "string"}},
        {"name": "count", "in": "query", "schema": {"type": "integer", "default": 3}},
        {"name": "before", "in": "query", "schema": {"type": "string"}},
    ]
    assert sorted(operation["responses"]) == ["200", "400", "401", "403", "404", "503"]
    assert operation["responses"]["200"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/Amount"
    }


def showing(module: str) -> Page:
    """Return a page that shows an `Amount` of a module."""

    async def view(_context: Any, _query: Any, _visitor: Any) -> Any: ...

    name = module.rpartition(".")[2]
    view.__annotations__["return"] = defstruct("Amount", [(name, int)], module=module)
    return Page(path=f"/console/{name}", template=f"{name}.html", title=name, view=view)


def test_types_of_the_same_name_are_told_apart_by_their_modules() -> None:
    schemas = document([showing("rooms.first_room"), showing("rooms.other")])["components"]["schemas"]
    shown = {name: list(schema["properties"]) for name, schema in schemas.items() if "Amount" in name}
    assert shown == {"FirstRoomAmount": ["first_room"], "OtherAmount": ["other"]}


def test_no_two_types_of_the_pages_share_a_name() -> None:
    shown = {get_type_hints(page.view)["return"] for page in PAGES} | {Error}
    assert len(WRITTEN["components"]["schemas"]) == len(schema_components(shown)[1])


async def test_the_document_is_open_to_all_as_that_of_the_api_is(tmp_path: Any) -> None:
    async with opened(console_settings(tmp_path, api__tokens=("x",))) as client:
        answer = await client.get(f"{BASE}/console/openapi.json")
    assert (answer.status_code, answer.json()) == (200, WRITTEN)

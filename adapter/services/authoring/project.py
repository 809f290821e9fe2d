"""The files of a new project: settings, mappings, rules, model and cases, over the package's starters."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from adapter import __version__
from adapter.datamodel.schema import model_schema
from adapter.files import starters
from adapter.files.starters import Kind
from adapter.mapping.files.schema import cases_schema, mappings_schema
from adapter.rules.files.schema import definitions_schema, rules_schema
from adapter.rules.testing.schema import cases_schema as rule_cases_schema

#: The starter packs, each with more mappings, rules and declarations of the model.
PACKS = ("ecommerce", "services", "travel", "food-delivery")
_PARTS = starters.FOLDER / "project"
_SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {
    "mappings": mappings_schema, "cases": cases_schema, "model": model_schema,
    "rules": rules_schema, "rule-cases": rule_cases_schema, "definitions": definitions_schema,
}  # fmt: skip
_SOURCES = ("segment", "mparticle")

_MAPPINGS = """\
# What {title} sends. The starter's mappings run as the package has them; `adapter starters mappings {first}`
# prints them. Write your own under `mappings:`; one of the same name replaces the starter's.
source: {source}
extends: {extends}
# disable: [Screen viewed]
"""
_MODEL = """\
# The traits, events and attributes that mappings and rules share. `adapter model show` lists all of them,
# also the starter's. Declare your own under `traits:` and `events:`; one of the same name replaces another.
extends: {extends}
"""
_RULES = """\
# The starter's rules; `adapter starters rules {first}` prints them. Write your own in files beside this one,
# or here under `rules:`, where a rule of the same name replaces the starter's.
extends: {extends}
# disable: [returning-rider-minutes]
"""
_DEFINITIONS = """\
# Conditions and segments that rules share, and limits over all rules; `adapter starters definitions {first}`
# prints the starter's. A definition of the same name replaces the starter's.
extends: {extends}
"""
_MAPPING_CASES = """\
# What payloads become. `adapter test` runs these cases; `adapter test --update` writes what mappings give.
source: segment
cases:
  - name: A checkout gets the names that rules use
    file: fixtures/checkout.json
    only: [Event from track]
    ignore: [event.context, event.occurred_at]
    expect:
      - action: event
        source_id: user_123
        event:
          id: example-checkout
          name: checkout_started
          user:
            id: user_123
          attributes:
            order_id: O-1
            value: 145.75
            currency: USD
            shipping_country: US
            products: {products}
            cart_value: 145.75
            coupon_used: false
            items:
              - {{product_id: p-1, sku: TEE-001, name: Tee, price: 25.0, qty: 2}}
              - {{product_id: p-2, sku: DENIM-034, name: Jacket, price: 95.75, qty: 1}}
"""
_RULE_CASES = """\
# What events earn. `adapter test` runs these cases.
cases:
  - name: a first checkout of 145.75 to the US earns 15 per cent
    event:
      name: checkout_started
      attributes: {cart_value: 145.75, coupon_used: false, shipping_country: US}
    expect: {high-value-cart-first-purchase: issued}
  - name: a small basket does not
    event: {name: checkout_started, attributes: {cart_value: 96.5, coupon_used: false, shipping_country: US}}
    expect: {high-value-cart-first-purchase: not_met}
"""


def files(pack: str | None) -> dict[str, str]:
    """Return the text of each file of a new project by its path."""
    return dict([*_settings(), *_starters(pack), *_cases(pack), *_schemas()])


def _settings() -> Iterator[tuple[str, str]]:
    yield "README.md", _part("README.md")
    yield "adapter.toml", _part("adapter.toml")
    yield ".env.example", _part("env.example")
    yield ".gitignore", _part("gitignore")
    yield ".github/workflows/check.yaml", _part("ci.yaml").replace("VERSION", __version__)


def _starters(pack: str | None) -> Iterator[tuple[str, str]]:
    for source, title in zip(_SOURCES, ("Segment", "mParticle"), strict=True):
        names = [source, *([f"{source}-{pack}"] if pack else [])]
        yield f"mappings/{source}.yaml", _extending("mappings", _MAPPINGS, names, source=source, title=title)
    names = ["starter", *([pack] if pack else [])]
    yield "mappings/model.yaml", _extending("model", _MODEL, names)
    yield "rules/starter.yaml", _extending("rules", _RULES, names)
    yield "rules/definitions.yaml", _extending("definitions", _DEFINITIONS, ["starter"])


def _extending(kind: Kind, text: str, names: list[str], **more: str) -> str:
    references = [starters.latest(kind, name) for name in names]
    extends = references[0] if len(references) == 1 else f"[{', '.join(references)}]"
    return _schema_line(kind) + text.format(first=references[0], extends=extends, **more)


def _schema_line(name: str) -> str:
    return f"# yaml-language-server: $schema=../schema/{name}.schema.json\n"


def _cases(pack: str | None) -> Iterator[tuple[str, str]]:
    checkout = (starters.FOLDER / "examples" / "segment" / "checkout.json").read_text(encoding="utf-8")
    yield "mappings/fixtures/checkout.json", checkout
    products = json.dumps(json.loads(checkout)["properties"]["products"])
    yield "mappings/checkout.test.yaml", _schema_line("cases") + _MAPPING_CASES.format(products=products)
    yield "rules/checkout.test.yaml", _schema_line("rule-cases") + _RULE_CASES
    folder = _PARTS / "packs" / (pack or "")
    for path in sorted(folder.rglob("*.*")) if pack else ():
        if path.is_file():
            text = path.read_text(encoding="utf-8").replace("=../../../schema/", "=../schema/")
            yield path.relative_to(folder).as_posix(), text


def _schemas() -> Iterator[tuple[str, str]]:
    for name, made in _SCHEMAS.items():
        yield f"schema/{name}.schema.json", json.dumps(made(), indent=2, ensure_ascii=False) + "\n"


def _part(name: str) -> str:
    return Path(_PARTS / name).read_text(encoding="utf-8")

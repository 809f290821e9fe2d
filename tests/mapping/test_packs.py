"""The packs of the four industries: their cases, their rules, and their data models beside the starters."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from adapter.mapping import mapping_set
from adapter.mapping.files import mapping_file
from adapter.mapping.lint import lint
from adapter.mapping.mapping_set import MappingSet
from adapter.mapping.testing import case_files, cases
from adapter.model.operations import CustomerUpsert, EventOccurred
from adapter.rules.engine import ruleset as rule_book
from adapter.sources.mparticle import batches
from adapter.sources.segment import webhook

ROOT = Path(__file__).parents[2]
#: The sample data models of the integration blueprint: traits, then events.
MODELS: dict[str, tuple[set[str], list[str]]] = {
    "ecommerce": (
        {"locale", "currency", "lifetime_value", "order_count"},
        ["product_viewed", "product_added", "checkout_started", "order_completed", "cart_abandoned"],
    ),
    "services": (
        {"device", "app_version", "session_duration", "subscription_group", "notification_preferences"},
        ["account_set", "user_login", "searches", "feature_usage"],
    ),
    "travel": (
        {"traveler_status", "age_range", "destinations", "travel_companions", "booking_channel"},
        ["destination_search", "car_rental", "booking_type", "booking_date"],
    ),
    "food-delivery": (
        {"order_history", "favorite_items", "delivery_address", "dietary_preferences",
         "favorite_restaurants", "delivery_instructions"},
        ["menu_item_view", "app_rating", "menu_search", "order_tracking", "delivery_completed"],
    ),
}  # fmt: skip
CASES = {pack: case_files.load(ROOT / "docs" / "packs" / pack / "mappings")[0] for pack in MODELS}
RECEIVED_AT = datetime(2026, 3, 1, tzinfo=UTC)


@cache
def beside_the_starters(pack: str) -> MappingSet:
    directories = (ROOT / "mappings", ROOT / "docs" / "packs" / pack / "mappings")
    read, problems = mapping_file.load(
        [path for each in directories for path in mapping_set.mapping_files(each)]
    )
    assert [str(problem) for problem in [*problems, *lint.findings(read)]] == []
    return MappingSet(read)


def decode(source: str, body: bytes, received_at: datetime) -> Any:
    decoded = {"segment": webhook, "mparticle": batches}[source].decode(body, received_at)
    return decoded.messages, [entry.reason for entry in decoded.quarantined]


@pytest.mark.parametrize(
    ("pack", "case"),
    [(pack, case) for pack, found in CASES.items() for case in found],
    ids=lambda value: value if isinstance(value, str) else f"{value.source}: {value.name}",
)
def test_each_case_of_a_pack_passes_with_the_starters(pack: str, case: case_files.Case) -> None:
    [result] = cases.run(beside_the_starters(pack), [case], decode)
    assert result.diff == ""


@pytest.mark.parametrize("pack", MODELS)
def test_the_rules_of_a_pack_check(pack: str) -> None:
    loaded, problems = rule_book.load(ROOT / "docs" / "packs" / pack / "rules")
    assert [str(problem) for problem in problems] == []
    assert loaded is not None
    assert loaded.rules


@pytest.mark.parametrize("source", ["segment", "mparticle"])
@pytest.mark.parametrize("pack", MODELS)
def test_a_pack_maps_every_trait_of_its_model(pack: str, source: str) -> None:
    mapped = {
        trait
        for mapping in beside_the_starters(pack).of(source)
        if mapping.document.file.endswith(f"-{pack}.yaml")
        for trait in mapping.fields.get("traits", {})
    }
    assert mapped == MODELS[pack][0]


@pytest.mark.parametrize(("pack", "event"), [(pack, event) for pack in MODELS for event in MODELS[pack][1]])
def test_an_event_of_a_model_is_recorded_once_under_its_name(pack: str, event: str) -> None:
    told = beside_the_starters(pack)
    title = event.replace("_", " ").title()
    call = {"type": "track", "event": title, "messageId": "m", "userId": "u"}
    batch = {"mpid": 5, "events": [{"event_type": "custom_event", "data": {"event_name": title}}]}
    for source, sent in (("segment", call), ("mparticle", batch)):
        messages, _ = decode(source, json.dumps(sent).encode(), RECEIVED_AT)
        done = [each for message in messages for each in told.operations(message)]
        assert [each.event.name for each in done if isinstance(each, EventOccurred)] == [event]


@pytest.mark.parametrize("pack", MODELS)
def test_both_sources_of_a_pack_give_the_same_customer(pack: str) -> None:
    told = beside_the_starters(pack)
    traits = []
    for source in ("segment", "mparticle"):
        payload = ROOT / "docs" / "packs" / pack / "mappings" / "fixtures" / f"{source}-{pack}-known.json"
        messages, _ = decode(source, payload.read_bytes(), datetime(2030, 1, 1, tzinfo=UTC))
        done = [each for message in messages for each in told.operations(message)]
        merged: dict[str, Any] = {}
        for each in done:
            if isinstance(each, CustomerUpsert):
                merged |= each.traits
        traits.append({trait: merged.get(trait) for trait in MODELS[pack][0] - {"locale"}})
    assert traits[0] == traits[1]
    assert any(value is not None for value in traits[0].values())

"""Events of the e-commerce spec end with the attributes that the starter's data model declares for them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from adapter.datamodel.coerce import coercer
from adapter.datamodel.declarations import DataModel
from adapter.mapping import mapping_set
from adapter.mapping.mapping_set import MappingSet
from adapter.model.operations import EventOccurred
from adapter.model.spelling import spelling
from adapter.sources.mparticle import batches
from adapter.sources.segment import webhook

HERE = Path(__file__).parent
EVENTS: dict[str, dict[str, Any]] = yaml.safe_load((HERE / "spec.yaml").read_text(encoding="utf-8"))["events"]
RECEIVED_AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def starter() -> MappingSet:
    loaded, problems = mapping_set.load(HERE.parents[1] / "mappings")
    assert problems == []
    assert loaded is not None
    return loaded


def occurred(starter: MappingSet, source: str, event: str, properties: dict[str, Any]) -> EventOccurred:
    """Return the event as a model that flags whatever it does not declare makes of it."""
    if source == "segment":
        call = {"type": "track", "messageId": "m", "userId": "u", "event": event, "properties": properties}
        [message] = webhook.decode(json.dumps(call).encode(), RECEIVED_AT).messages
    else:
        data = {"event_name": event, "custom_attributes": properties}
        batch = {"mpid": 5, "events": [{"event_type": "custom_event", "data": data}]}
        [message] = batches.decode(json.dumps(batch).encode(), RECEIVED_AT).messages
    assert isinstance(starter.model, DataModel)
    strict = coercer(replace(starter.model, unknown="keep"))
    [found] = [strict(done) for done in starter.mapped(message) if isinstance(done, EventOccurred)]
    assert isinstance(found, EventOccurred)
    return found


@pytest.mark.parametrize("source", ["segment", "mparticle"])
@pytest.mark.parametrize("event", EVENTS)
def test_an_event_of_the_spec_has_declared_attributes_alone_and_all_shared_ones(
    event: str, source: str, starter: MappingSet
) -> None:
    wanted = EVENTS[event]
    found = occurred(starter, source, event, wanted["properties"])
    assert found.misfits == ()
    attributes = found.event.attributes
    assert spelling(found.event.name) == spelling(event)
    assert wanted["properties"].keys() <= attributes.keys()
    assert attributes.get("cart_value") == wanted.get("cart_value")
    assert attributes.get("coupon_used") is wanted.get("coupon_used")
    assert len(attributes.get("items", [])) == wanted.get("items", 0)


@pytest.mark.parametrize("event", EVENTS)
def test_both_sources_make_the_same_of_an_event_of_the_spec(event: str, starter: MappingSet) -> None:
    properties = EVENTS[event]["properties"]
    ours, theirs = (occurred(starter, source, event, properties).event for source in ("segment", "mparticle"))
    assert (ours.name, ours.attributes) == (theirs.name, theirs.attributes)


@pytest.mark.parametrize("event", EVENTS)
def test_the_spelling_of_an_event_of_the_spec_changes_nothing(event: str, starter: MappingSet) -> None:
    properties = EVENTS[event]["properties"]
    first, *words = event.split()
    spellings = [
        event.lower(), event.upper(), event.replace(" ", "-"), event.replace(" ", "_").lower(),
        first.lower() + "".join(words), event.replace(" ", ""), event.replace(" ", "").lower(),
    ]  # fmt: skip
    wanted = occurred(starter, "segment", event, properties).event
    for source in ("segment", "mparticle"):
        for spelled in spellings:
            found = occurred(starter, source, spelled, properties).event
            assert (found.name, found.attributes) == (wanted.name, wanted.attributes), spelled

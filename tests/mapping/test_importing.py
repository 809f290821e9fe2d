"""The presets of a Segment destination become a mapping file; what is left out is reported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from adapter import mapping
from adapter.cli.main import commands
from adapter.files.dumping import dump
from adapter.mapping import mapping_set
from adapter.mapping.files.importing import NoPresets, import_presets


def path(to: str) -> dict[str, str]:
    return {"@path": f"$.{to}"}


CUSTOMER = {"source_id": path("userId"), "email": path("context.traits.email"), "plan": path("context.plan")}
METADATA: dict[str, Any] = {
    "slug": "shop-actions",
    "presets": [
        {"name": "Track", "type": "automatic", "partnerAction": "send", "subscribe": 'type = "track"',
         "mapping": {"customer": CUSTOMER, "event": path("event"), "total": path("properties.total")}},
        {"name": "Track", "subscribe": 'type = "page"',
         "mapping": {"name": {"@template": "Viewed {{name}}"}, "x": {"@nope": 1}}},
        {"name": "Customer", "subscribe": 'type = "identify"',
         "mapping": {"userId": path("userId"), "phone": path("traits.phone"), "traits": path("traits"),
                     "city": path("traits.address.city")}},
        {"name": "Group", "subscribe": 'type = "group"', "mapping": {"traits": path("traits")}},
        {"name": "Both", "subscribe": 'type = "identify" or type = "track"', "mapping": {}},
        {"name": "Quotes", "subscribe": "type = 'track'", "mapping": {}},
        {"name": "Audience", "type": "specificEvent", "eventSlug": "warehouse_audience", "mapping": {}},
    ],
}  # fmt: skip


def test_presets_become_mappings_that_record_what_they_sent(tmp_path: Path) -> None:
    found = import_presets(METADATA)
    (tmp_path / "shop.yaml").write_text(dump(found.file), encoding="utf-8")
    loaded, problems = mapping_set.load(tmp_path)
    assert [problem for problem in problems if problem.severity == "error"] == []
    assert loaded is not None
    entries = {each["name"]: each for each in found.file["mappings"]}
    assert {name: each["action"] for name, each in entries.items()} == {
        "Track": "event", "Track 2": "event", "Customer": "customer.upsert", "Group": "customer.group"
    }  # fmt: skip
    message = {
        "type": "track", "event": "Paid", "userId": "u", "properties": {"total": 5},
        "context": {"plan": "p", "traits": {"email": "a@b.example"}},
        "traits": {"phone": "1", "address": {"city": "Ulm"}},
    }  # fmt: skip
    assert mapping.compile(entries["Track"]["fields"])(message) == {
        "source_id": "u", "name": "Paid", "email": "a@b.example",
        "attributes": {"total": 5, "customer": {"plan": "p"}},
    }  # fmt: skip
    assert mapping.compile(entries["Customer"]["fields"])(message) == {
        "source_id": "u", "phone": "1", "traits": {"phone": "1", "address": {"city": "Ulm"}, "city": "Ulm"}
    }  # fmt: skip


def test_what_is_left_out_is_reported() -> None:
    unknown, both, quotes, audience = import_presets(METADATA).notes
    assert unknown == "Track: the field `x` is left out: `@nope` is not a directive"
    assert both == "Both: left out: no action takes messages of type identify and track"
    assert quotes.startswith("Quotes: left out: `subscribe`: single quotes become part of the value")
    assert audience == "Audience: left out: it has no subscription or no mapping"


@pytest.mark.parametrize("document", [None, [], {}, {"presets": []}, {"presets": {}}])
def test_a_document_without_presets_is_refused(document: Any) -> None:
    with pytest.raises(NoPresets):
        import_presets(document)


def test_the_command_prints_the_file_and_what_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "metadata.json"
    file.write_text(json.dumps(METADATA), encoding="utf-8")
    result = CliRunner().invoke(commands, ["mapping", "import", str(file)])
    assert result.exit_code == 0
    assert result.stdout == dump(import_presets(METADATA).file) + "\n"
    assert result.stderr.count("\n") == 4
    file.write_text('{"presets": [{"name": "x"}]}', encoding="utf-8")
    assert CliRunner().invoke(commands, ["mapping", "import", str(file)]).exit_code == 1
    assert CliRunner().invoke(commands, ["mapping", "import", str(tmp_path / "gone.json")]).exit_code == 1

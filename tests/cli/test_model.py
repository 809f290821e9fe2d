"""`adapter model`: proposed from payloads, and shown as the table that a team agrees on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from adapter.cli.main import commands
from adapter.datamodel.load import read
from adapter.files import yaml

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(commands, ["model", *arguments])


@pytest.fixture(scope="module")
def table() -> dict[tuple[str, str], Any]:
    folders = ["--mappings", str(ROOT / "mappings"), "--rules", str(ROOT / "rules")]
    rows = json.loads(run("show", "--json", *folders).stdout)
    return {(row["of"], row["name"]): row for row in rows}


def test_a_model_is_proposed_from_payloads_of_both_sources() -> None:
    result = run(
        "infer", "fixtures/segment/classic-track.json", "fixtures/mparticle/commerce-view-detail.json"
    )
    document, _ = yaml.parse(result.stdout, "model.yaml")
    assert document is not None
    model, problems = read(document)
    assert problems == []
    assert model is not None
    viewed = model.events["product_viewed"].attributes
    assert {name: str(viewed[name].type) for name in ("sku", "price", "quantity", "is_non_interactive")} == {
        "sku": "string", "price": "money", "quantity": "number", "is_non_interactive": "boolean",
    }  # fmt: skip
    assert str(model.traits["points"].type) == "string"  # mParticle's text of digits may be an id


def test_unmappable_messages_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"type": "track", "event": "x"}\n{"type": "page", "userId": "u"}\n')
    result = run("infer", str(tmp_path / "a.jsonl"))
    assert "1 messages could not be mapped" in result.stderr
    assert "page_viewed" in result.stdout


def test_a_data_subject_request_in_a_batch_is_counted_as_unmappable(tmp_path: Path) -> None:
    lines = [
        '{"type": "dsr_processing_request", "id": "1"}',
        '{"type": "track", "event": "x", "userId": "u"}',
    ]
    (tmp_path / "seen.jsonl").write_text("\n".join(lines))
    result = run("infer", str(tmp_path / "seen.jsonl"))
    assert result.exit_code == 0
    assert "1 messages could not be mapped" in result.stderr


def test_a_bad_line_is_reported_and_the_model_is_made_of_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"type": "page", "userId": "u"}\n{"type": "tra\n')
    result = run("infer", str(tmp_path / "a.jsonl"))
    assert result.exit_code == 1
    assert "a.jsonl:2:14: the line is not JSON: it ends too early" in result.stderr
    assert "page_viewed" in result.stdout


@pytest.mark.parametrize("content", ["nonsense", "", '{"type": "unheard-of", "userId": "u"}', "{\n{\n"])
def test_no_model_is_written_where_nothing_could_be_mapped(content: str, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(content)
    result = run("infer", str(tmp_path / "a.jsonl"))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "so there is no model to propose" in result.stderr


def test_the_table_has_types_sources_and_readers(table: dict[tuple[str, str], Any]) -> None:
    value = table["checkout_started", "cart_value"]
    assert value["type"] == "money"
    assert "Event from track (segment)" in value["fed_by"]
    assert "Checkout (mparticle)" in value["fed_by"]
    assert "Promotion (mparticle)" not in value["fed_by"]
    assert value["read_by"] == ["high-value-cart-first-purchase", "second-purchase"]


def test_history_definitions_segments_and_waits_count_as_reading(table: dict[tuple[str, str], Any]) -> None:
    assert (
        "cart-recovery" in table["order_completed", ""]["read_by"]
    )  # history.count("order_completed", "7d")
    assert "high-value-cart-first-purchase" in table["checkout_started", "shipping_country"]["read_by"]
    assert "second-purchase" in table["traits", "customer_type"]["read_by"]  # excluded_segments: [wholesale]


def test_people_get_it_as_text() -> None:
    result = run("show")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "name  type  what it is  <- mappings that feed it  -> rules that read it"
    [line] = [line for line in lines if line.startswith("cart_abandoned  <- ")]
    assert "-> cart-recovery" in line


def test_without_a_model_the_command_says_how_to_get_one(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text((ROOT / "mappings/segment.yaml").read_text(encoding="utf-8"))
    result = run("show", "--mappings", str(tmp_path))
    assert result.exit_code == 1
    assert "`adapter model infer` proposes one" in result.stderr


def test_a_plan_is_imported_and_what_is_left_out_is_on_standard_error(tmp_path: Path) -> None:
    plan = tmp_path / "order.schema.json"
    plan.write_text('{"properties": {"id": {"type": "string", "minLength": 3}}}', encoding="utf-8")
    assert "name its event with --event" in run("import", str(plan)).stderr
    result = run("import", str(plan), "--event", "Order Completed")
    assert (result.exit_code, result.stderr) == (
        0, f"{plan}#/properties/id/minLength: not expressed: `minLength`\n"
    )  # fmt: skip
    assert "order_completed:\n    attributes:\n      id: string\n" in result.stdout
    answer = json.loads(run("import", str(plan), "--event", "Order Completed", "--json").stdout)
    assert answer["model"]["events"] == {"order_completed": {"attributes": {"id": "string"}}}
    assert answer["notes"] == [{"place": "/properties/id/minLength", "message": "not expressed: `minLength`"}]


def test_a_file_that_is_no_plan_is_an_error(tmp_path: Path) -> None:
    for text in ("{", "[]", None):
        if text is not None:
            (tmp_path / "plan.json").write_text(text, encoding="utf-8")
        path = "plan.json" if text is not None else "gone.json"
        result = run("import", str(tmp_path / path))
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith(f"adapter: {tmp_path / path}: ")


@pytest.mark.parametrize("plan", ["segment", "mparticle"])
def test_the_exported_model_is_a_plan_that_imports(plan: str, tmp_path: Path) -> None:
    result = run("export", plan, "--mappings", str(ROOT / "mappings"))
    assert result.exit_code == 0
    assert "is `number`" in result.stderr
    (tmp_path / "plan.json").write_text(result.stdout, encoding="utf-8")
    imported = run("import", str(tmp_path / "plan.json"))
    assert "  order_completed:\n" in imported.stdout
    assert run("export", plan, "--mappings", str(tmp_path)).exit_code == 1

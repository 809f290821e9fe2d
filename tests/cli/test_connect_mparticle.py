"""`adapter connect mparticle`: the checklist is that of the page, and the data plan that of the model."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from adapter.cli.main import commands
from adapter.services.authoring.connect_mparticle import steps

PAGE = Path(__file__).parents[2] / "docs" / "mparticle.md"
MODEL = """\
events:
  order_completed:
    attributes:
      total: {type: number, required: true, minimum: 0}
traits:
  tier: {type: string, enum: [gold, silver]}
"""


def connect(*options: str) -> Result:
    return CliRunner().invoke(commands, ["connect", "mparticle", "--url", "https://shop.example", *options])


def test_the_checklist_has_every_setting_of_the_page_that_privacy_rules_do_not_decide() -> None:
    rows = re.findall(r"^\| (Configuration|Connection) → (.+?) \| (.+?) \|", PAGE.read_text(), re.MULTILINE)
    written = {name: value for _, name, value in rows if "privacy rules" not in value}
    assert len(rows) == len(written) + 3
    listed = {
        step.where.partition(" > ")[2]: step.write
        for step in steps("https://<your host>", authorized=True)
        if step.where.startswith(("Configuration", "Connection"))
    }
    assert list(listed) == list(written)
    assert {name for name in listed if listed[name] != written[name].strip("`")} == {"Authorization Header"}
    assert listed["Send Push Events"] == "False"


def test_the_data_plan_is_what_the_model_exports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "model.yaml").write_text(MODEL)
    assert "plan.json" not in connect("--json").stdout
    for _ in range(2):  # the same content may be there
        result = connect("--data-plan", "plan.json")
        assert result.exit_code == 0, result.output
    assert "[ ] Data Master > Plans: the plan in plan.json" in result.stdout
    exported = CliRunner().invoke(commands, ["model", "export", "mparticle"]).stdout
    plan = json.loads((tmp_path / "plan.json").read_text())
    assert plan == json.loads(exported)
    [event, traits] = plan["data_plan_versions"][0]["version_document"]["data_points"]
    assert event["match"]["criteria"]["event_name"] == "Order Completed"
    assert traits["validator"]["definition"]["properties"]["tier"]["enum"] == ["gold", "silver"]


def test_no_file_is_overwritten_and_no_model_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mappings").mkdir()
    result = connect("--data-plan", "plan.json")
    assert (result.exit_code, "no model.yaml" in result.stderr) == (1, True)
    model = tmp_path / "mappings" / "model.yaml"
    model.write_text(MODEL)
    result = connect("--data-plan", str(model))
    assert (result.exit_code, "other content" in result.stderr) == (1, True)
    assert model.read_text() == MODEL
    result = connect("--data-plan", "none/plan.json")
    assert (result.exit_code, "cannot write none/plan.json" in result.stderr) == (1, True)
    model.write_text("traits: {tier: {type: strin}}\n")
    result = connect("--data-plan", "other.json")
    assert (result.exit_code, "model.yaml:1" in result.stderr) == (1, True)
    assert not (tmp_path / "other.json").exists()

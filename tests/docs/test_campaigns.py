"""docs/campaigns, taken as its page says: the rules check clean, and every case passes."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from adapter.cli.main import commands

ROOT = Path(__file__).parents[2]
RULES = ROOT / "docs" / "campaigns" / "rules"


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for folder in ("mappings", "rules", "fixtures", "docs/campaigns"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.usefixtures("clone")
def test_the_campaigns_check_clean_and_their_cases_pass() -> None:
    page = (ROOT / "docs" / "campaigns" / "README.md").read_text(encoding="utf-8")
    [block] = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    for line in block.splitlines():
        if "adapter " not in line:
            subprocess.run(["sh", "-ec", line], check=True)
    checked = CliRunner().invoke(commands, shlex.split("check --strict"))
    assert checked.exit_code == 0, checked.output
    tested = CliRunner().invoke(commands, ["test"])
    assert tested.exit_code == 0, tested.output


def read_rules_and_outcomes() -> Iterator[tuple[dict[str, Any], set[tuple[str, str]]]]:
    """Return each rule with its outcomes in the cases beside it, each with the guardrail that stopped it."""
    for path in sorted(RULES.glob("*.test.yaml")):
        text = path.with_name(path.name.replace(".test", "")).read_text(encoding="utf-8")
        cases = yaml.safe_load(path.read_text(encoding="utf-8"))["cases"]
        expected = [(name, one) for case in cases for name, one in case["expect"].items()]
        said = [(name, one if isinstance(one, dict) else {"outcome": one}) for name, one in expected]
        for rule in yaml.safe_load(text)["rules"]:
            of_rule = [one for name, one in said if name == rule["name"]]
            yield rule, {(one["outcome"], one.get("guardrail", "")) for one in of_rule}


def test_every_campaign_has_a_case_in_which_it_issues_and_one_in_which_it_does_not() -> None:
    for rule, outcomes in read_rules_and_outcomes():
        assert ("issued", "") in outcomes, rule["name"]
        always = "conditions" not in rule and rule.get("guardrails", {}) == {"stackable": True}
        assert always or {outcome for outcome, _ in outcomes} - {"issued"}, rule["name"]


def test_every_guardrail_that_a_campaign_names_stops_it_in_a_case() -> None:
    for rule, outcomes in read_rules_and_outcomes():
        stopped = {guardrail.split(".")[0] for _, guardrail in outcomes}
        assert rule.get("guardrails", {}).keys() - {"stackable"} <= stopped, rule["name"]


def test_the_pages_say_how_many_campaigns_there_are() -> None:
    rules = [rule for rule, _ in read_rules_and_outcomes()]
    # Rules of one campaign count once, and so do the steps that a later step replaces.
    steps = {name for rule in rules if isinstance(rule.get("replaces"), list) for name in rule["replaces"]}
    number = len({rule.get("campaign", rule["name"]) for rule in rules if rule["name"] not in steps})
    for page in ("docs/campaigns/README.md", "docs/README.md", "README.md"):
        assert f"{number} campaigns" in (ROOT / page).read_text(encoding="utf-8"), page

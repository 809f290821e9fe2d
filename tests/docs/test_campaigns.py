"""docs/campaigns, taken as its page says: the rules check clean, and every case passes."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

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


def test_every_campaign_has_a_case_in_which_it_issues_and_one_in_which_it_does_not() -> None:
    for path in sorted(RULES.glob("*.test.yaml")):
        rules = yaml.safe_load(path.with_name(path.name.replace(".test", "")).read_text(encoding="utf-8"))
        cases = yaml.safe_load(path.read_text(encoding="utf-8"))["cases"]
        expected = [(name, one) for case in cases for name, one in case["expect"].items()]
        outcomes = [(name, one if isinstance(one, str) else one["outcome"]) for name, one in expected]
        for rule in rules["rules"]:
            # A shared code is claimed at the checkout, and a rule without a condition always holds.
            if "trigger" in rule and ("conditions" in rule or "guardrails" in rule):
                assert (rule["name"], "issued") in outcomes, rule["name"]
                always = "conditions" not in rule and rule["guardrails"] == {"stackable": True}
                assert always or {one for name, one in outcomes if name == rule["name"]} - {"issued"}

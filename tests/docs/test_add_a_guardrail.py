"""The section of docs/architecture.md on guardrails: a package that follows its steps has the two it adds."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.docs.test_architecture_steps import ROOT, SECTIONS, follow

pytestmark = pytest.mark.process

SECTION = SECTIONS["Add a guardrail"]
CASES = """
cases:
  - name: a small cart
    event: {name: checkout_started, attributes: {cart_value: 80}}
    expect: {small-carts: issued}
  - name: a large cart
    event: {name: checkout_started, attributes: {cart_value: 81}}
    expect: {small-carts: {outcome: withheld, guardrail: max_cart_value}}
  - name: a cart of unknown value
    event: {name: checkout_started}
    expect: {small-carts: {outcome: withheld, guardrail: max_cart_value}}
  - name: a month in which as many were issued as may be
    event: {name: checkout_started, attributes: {cart_value: 80}}
    exhausted: max_monthly_redemptions
    expect: {small-carts: {outcome: withheld, guardrail: max_monthly_redemptions, reason: this month}}
"""
COMMAND = "import sys; from adapter.cli.main import main; sys.argv = ['adapter', *sys.argv[1:]]; main()"
SCHEMA = """
import json
from adapter.rules.files.schema import definitions_schema, rules_schema
rule = rules_schema()["definitions"]["rule"]["properties"]
overall = definitions_schema()["properties"]
print(json.dumps([each["guardrails"]["properties"] for each in (rule, overall)]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package in which the steps were followed, beside a rule that uses both guardrails."""
    folder = tmp_path_factory.mktemp("package")
    shutil.copytree(ROOT / "adapter", folder / "adapter")  # with its bytecode: to compile takes longest
    starters, cases = ROOT / "tests" / "starters", shutil.ignore_patterns("*.test.yaml")
    shutil.copytree(starters / "mappings", folder / "mappings", ignore=cases)
    shutil.copy(starters / "adapter.toml", folder)
    follow(SECTION, folder)
    (folder / "rules").mkdir()
    [rule] = re.findall(r"^```yaml\n(.*?)^```$", SECTION, re.DOTALL | re.MULTILINE)
    (folder / "rules" / "small-carts.yaml").write_text(rule, encoding="utf-8")
    (folder / "rules" / "small-carts.test.yaml").write_text(textwrap.dedent(CASES), encoding="utf-8")
    return folder


def run(folder: Path, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run code with the package of the folder."""
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_copy_is_what_runs(folder: Path) -> None:
    ran = run(folder, "import adapter; print(adapter.__file__)")
    assert Path(ran.stdout.strip()).is_relative_to(folder)


def test_the_section_adds_one_file_and_one_line_for_each_guardrail() -> None:
    assert len(re.findall(r"^ *```python$", SECTION, re.MULTILINE)) == 2
    assert len(re.findall(r"^ *\+", SECTION, re.MULTILINE)) == 2


def test_a_rule_with_the_new_keys_passes_adapter_check(folder: Path) -> None:
    ran = run(folder, COMMAND, "check")
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_mistake_in_a_new_key_is_reported_at_its_place(folder: Path, tmp_path: Path) -> None:
    text = (folder / "rules" / "small-carts.yaml").read_text(encoding="utf-8")
    (tmp_path / "wrong.yaml").write_text(text.replace("80", "none").replace("carts: 2", "carts: -1"))
    ran = run(folder, COMMAND, "check", "--rules", str(tmp_path), "--json")
    assert ran.returncode == 1, ran.stdout + ran.stderr
    problems = json.loads(ran.stdout)["problems"]
    assert [(each["line"], each["severity"]) for each in problems if "max_cart" in each["message"]] == [
        (4, "error")
    ]


def test_the_new_guardrails_withhold_and_the_cases_cover_them(folder: Path) -> None:
    ran = run(folder, COMMAND, "test", "--json")
    found: dict[str, Any] = json.loads(ran.stdout)
    assert found["failed"] == [], ran.stderr
    assert found["passed"] == CASES.count("- name:")
    missed = [each for each in found["missed"] if each.startswith("small-carts")]
    assert missed == ["small-carts: no case lets stackable stop it"]


def test_the_json_schemas_have_the_new_keys(folder: Path) -> None:
    ran = run(folder, SCHEMA)
    for keys in json.loads(ran.stdout):
        assert keys["max_cart_value"] == {"type": "number", "exclusiveMinimum": 0}
        assert keys["max_monthly_redemptions"] == {"type": "integer", "minimum": 0}

"""Comments that ignore warnings of `adapter check`, each with its reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapter.cli.main import commands

MODEL = "traits: {stars: number}\n"
MAPPINGS = """\
source: segment
mappings:
  - name: Stars
    subscribe: type = "track"
    action: customer.upsert
    fields:
      source_id: {"@path": $.userId}
      traits: {strs: {"@path": $.properties.stars}}%s
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for folder in ("mappings", "rules"):
        Path(folder).mkdir()
    Path("mappings/model.yaml").write_text(MODEL)
    Path("rules/one.yaml").write_text("name: one\ntrigger: paid\naction: {type: free_shipping}\n")
    return tmp_path


def check(comment: str, *options: str) -> list[str]:
    Path("mappings/shop.yaml").write_text(MAPPINGS % comment)
    result = CliRunner().invoke(commands, ["check", *options])
    return result.stdout.splitlines()


def of_mappings(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith("mappings/")]


def test_a_reason_at_the_line_ignores_its_warnings(shop: Path) -> None:
    [told] = of_mappings(check(""))
    assert told.startswith("mappings/shop.yaml:8:")
    assert "`strs`" in told
    lines = check("  # adapter: ignore the app will send it", "--strict")
    assert of_mappings(lines) == []
    answer = json.loads(check("  # adapter: ignore: the app will send it", "--json")[0])
    assert [each["line"] for each in answer["ignored"]] == [8]


def test_a_comment_without_a_reason_ignores_nothing(shop: Path) -> None:
    first, second = of_mappings(check("  # adapter: ignore"))
    assert "`strs`" in first
    assert second.endswith("write why behind it: `# adapter: ignore the app will send it`")


def test_a_comment_that_ignores_nothing_is_a_warning(shop: Path) -> None:
    Path("mappings/model.yaml").write_text("traits: {strs: number}  # adapter: ignore it is right\n")
    told = (
        "mappings/model.yaml:1:25: warning: there is no warning here for this comment to ignore; "
        "delete the comment"
    )
    assert told in check("")
    Path("rules/one.yaml").write_text("name: one\n")  # beside an error, not every check has run
    assert told not in check("")


def test_a_comment_of_a_warning_that_only_portable_looks_for_is_of_use(shop: Path) -> None:
    text = MAPPINGS.replace("{strs: {", '{stars: {"@first": [{').replace("stars}}%s", "stars}]}}%s")
    Path("mappings/shop.yaml").write_text(text % "")
    found = CliRunner().invoke(commands, ["check", "--portable"]).stdout
    assert "shop.yaml:8:" in found
    Path("mappings/shop.yaml").write_text(text % "  # adapter: ignore we map here alone")
    for options in ([], ["--portable"]):
        assert "mappings/shop.yaml" not in CliRunner().invoke(commands, ["check", *options]).stdout


def test_the_comment_may_be_above_or_where_a_long_text_begins(shop: Path) -> None:
    rule = (
        "name: one\ntrigger: paid\naction: {type: free_shipping}\nconditions:\n"
        "  # adapter: ignore the app will send it\n"
        "  - user.colour == 1\n"
        "  - >-  # adapter: ignore the app will send it too\n"
        "    user.stars > 1 &&\n"
        "    user.size == 1\n"
    )
    Path("rules/one.yaml").write_text(rule.replace("# adapter: ignore", "# see"))
    plain = [line for line in check("") if line.startswith("rules/one.yaml:")]
    lines_of_warnings = {int(line.split(":")[1]) for line in plain}
    assert {6, 9} <= lines_of_warnings
    Path("rules/one.yaml").write_text(rule)
    left = {int(line.split(":")[1]) for line in check("") if line.startswith("rules/one.yaml:")}
    assert left == lines_of_warnings - {6, 9}


def test_a_comment_behind_extends_ignores_warnings_in_that_starter(shop: Path) -> None:
    Path("mappings/segment.yaml").write_text("extends: adapter/segment@1\n")
    assert any("adapter/segment@1:" in line for line in check(""))
    Path("mappings/segment.yaml").write_text("extends: adapter/segment@1  # adapter: ignore not our model\n")
    assert not any("adapter/segment@1:" in line for line in check(""))


def test_an_error_is_never_ignored(shop: Path) -> None:
    Path("rules/one.yaml").write_text(
        "name: one\ntriger: paid  # adapter: ignore me\naction: {type: free_shipping}\n"
    )
    assert any("rules/one.yaml:2:1: `triger`" in line for line in check(""))

"""`adapter test`: cases of mappings and of rules, run, reported and recorded."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent
from xml.etree import ElementTree as Xml

import pytest
from typer.testing import CliRunner, Result

from adapter.cli.main import commands

ROOT = Path(__file__).parents[2]
FILES = {
    "mappings/shop.yaml": """
        source: segment
        mappings:
          - name: Event
            subscribe: type = "track"
            action: event
            fields:
              source_id: {"@path": $.userId}
              name: {"@path": $.event}
              attributes: {"@path": $.properties}
          - name: Erasure
            subscribe: type = "delete"
            action: customer.erase
            fields: {source_id: {"@path": $.userId}}
    """,
    "mappings/shop.test.yaml": """
        source: segment
        ignore: [event.id, event.occurred_at, event.user]
        cases:
          - name: An order  # as it should be
            payload: {type: track, event: Order Completed, userId: u, properties: {total: 5}}
            expect:
              - {action: event, source_id: u, event: {name: order_completed, attributes: {total: 6}}}
    """,
    "rules/shop.yaml": """
        name: ten
        trigger: order_completed
        conditions: [total >= 10]
        action: {type: percentage_off, value: 10, max_amount: 5}
    """,
    "rules/shop.test.yaml": """
        cases:
          - name: a small order
            event: {name: order_completed, attributes: {total: 5}}
            expect: {ten: issued}
    """,
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(text).lstrip(), encoding="utf-8")
    return tmp_path


def run(shop: Path, *arguments: str) -> Result:
    folders = ["--mappings", str(shop / "mappings"), "--rules", str(shop / "rules")]
    return CliRunner().invoke(commands, ["test", *folders, *arguments])


@pytest.mark.slow
def test_the_cases_that_come_with_the_adapter_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = CliRunner().invoke(commands, ["test"])
    assert (result.exit_code, "failed" in result.stdout) == (0, False)


def test_a_failure_has_its_place_and_its_diff(shop: Path) -> None:
    result = run(shop)
    assert result.exit_code == 1
    lines = result.stdout.replace(f"{shop}/", "").splitlines()
    assert "mappings/shop.test.yaml:4:5: An order" in lines
    assert "  -      total: 6" in lines
    assert "  +      total: 5" in lines
    assert "rules/shop.test.yaml:2:5: a small order" in lines
    assert any(line.startswith("  ten: expected issued, got not_met (") for line in lines)
    assert lines[-1].startswith("0 cases passed, 2 failed; ")


def test_uncovered_rules_and_branches_are_named(shop: Path) -> None:
    result = run(shop)
    assert "shop.yaml:10:5: no case exercises `Erasure`" in result.stdout
    assert "ten: no case makes `total >= 10` true" in result.stdout


@pytest.mark.parametrize("command", ["test", "check"])
@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("only: [Evnt]", "1:8: `Evnt` is no mapping of segment, and no file of them; did you mean `Event`?"),
        ("ignore: [event.contxt]", "1:10: no operation has `event.contxt`; did you mean `context`?"),
    ],
)
def test_a_problem_in_a_case_file_is_reported_with_its_place(
    command: str, line: str, told: str, shop: Path
) -> None:
    path = shop / "mappings" / "shop.test.yaml"
    path.write_text(line + "\n" + dedent(FILES["mappings/shop.test.yaml"].replace("ignore:", "#")).lstrip())
    folders = ["--mappings", str(shop / "mappings"), "--rules", str(shop / "rules")]
    result = CliRunner().invoke(commands, [command, *folders])
    assert (result.exit_code, f"{path}:{told}" in result.output) == (1, True)


def test_update_records_mapping_cases_and_says_so(shop: Path) -> None:
    first = run(shop, "--update", str(shop / "mappings"))
    assert first.exit_code == 0
    assert f"recorded: {shop}/mappings/shop.test.yaml" in first.stdout
    written = (shop / "mappings" / "shop.test.yaml").read_text(encoding="utf-8")
    assert "# as it should be" in written
    assert "total: 5" in written.split("expect:")[1]
    assert run(shop, str(shop / "mappings")).stdout == "1 case passed\n"


def test_paths_choose_cases_by_file_or_folder(shop: Path) -> None:
    assert json.loads(run(shop, "--json", str(shop / "rules" / "shop.test.yaml")).stdout)["passed"] == 0
    [failed] = json.loads(run(shop, "--json", str(shop / "rules")).stdout)["failed"]
    assert failed["name"] == "a small order"
    assert run(shop, str(shop / "nowhere")).exit_code == 2


def test_programs_get_every_failure_in_json(shop: Path) -> None:
    told = json.loads(run(shop, "--json").stdout)
    assert (told["ok"], told["passed"], len(told["failed"])) == (False, 0, 2)
    assert told["failed"][0]["at"]["line"] == 4
    assert told["missed"]


def test_a_case_whose_payload_cannot_be_read_fails_alone(shop: Path) -> None:
    path = shop / "mappings" / "shop.test.yaml"
    path.write_text(
        path.read_text(encoding="utf-8") + "  - {name: Lost, file: lost.json}\n", encoding="utf-8"
    )
    told = json.loads(run(shop, "--update", "--json", str(shop / "mappings")).stdout)
    assert (told["ok"], told["passed"], told["recorded"]) == (False, 1, [str(path)])
    [lost] = told["failed"]
    lines = path.read_text(encoding="utf-8").splitlines()
    assert "lost.json" in lines[lost["at"]["line"] - 1]
    assert lost["failure"].startswith(f"`{path.parent}/lost.json` cannot be read: No such file or")


def test_a_rule_case_with_an_unknown_name_is_refused(shop: Path) -> None:
    path = shop / "rules" / "shop.test.yaml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("{ten: issued}", "{tne: none}"), encoding="utf-8"
    )
    result = run(shop)
    assert result.exit_code == 1
    assert "rules/shop.test.yaml:4:14: there is no rule `tne`; did you mean `ten`?" in result.stderr


def test_a_rule_case_whose_names_are_doubtful_is_warned_of_and_runs(shop: Path) -> None:
    path = shop / "rules" / "shop.test.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("total: 5", "totl: 5"), encoding="utf-8")
    warning = (
        "rules/shop.test.yaml:3:49: warning: unknown attribute `totl` of `order_completed`; "
        "did you mean `total`?"
    )
    assert warning in run(shop).stderr
    told = json.loads(run(shop, "--json", str(path)).stdout)
    assert [line.endswith(warning) for line in told["warnings"]] == [True]
    assert len(told["failed"]) == 1
    assert json.loads(run(shop, "--json", str(shop / "mappings")).stdout)["warnings"] == []


def test_continuous_integration_gets_junit_xml(shop: Path) -> None:
    run(shop, "--junit", str(shop / "report.xml"))
    suites = Xml.fromstring((shop / "report.xml").read_text(encoding="utf-8"))
    assert [(suite.get("name"), suite.get("tests"), suite.get("failures")) for suite in suites] == [
        ("mappings", "1", "1"), ("rules", "1", "1"),
    ]  # fmt: skip
    failure = suites.find("testsuite/testcase/failure")
    assert failure is not None
    assert "total: 6" in str(failure.text)


def test_an_unwritable_report_is_reported(shop: Path) -> None:
    result = run(shop, "--junit", str(shop / "none" / "report.xml"))
    assert (result.exit_code, "cannot write" in result.stderr) == (1, True)


def test_a_case_that_expects_nothing_yet_does_not_pass(shop: Path) -> None:
    (shop / "mappings" / "shop.test.yaml").write_text(
        "source: segment\ncases: [{name: x, payload: {type: page, userId: u}}]\n", encoding="utf-8"
    )
    assert (
        "the case expects nothing yet; --update records what came" in run(shop, str(shop / "mappings")).stdout
    )


def test_a_faulty_case_file_ends_the_run_with_its_place(shop: Path) -> None:
    (shop / "mappings" / "shop.test.yaml").write_text(
        "source: segment\ncases: [{name: x}]\n", encoding="utf-8"
    )
    result = run(shop)
    assert result.exit_code == 1
    assert "shop.test.yaml:2:9: a case has either a `payload` or a `file`" in result.stderr

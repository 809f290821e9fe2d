"""`adapter check`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapter.cli.main import commands

ROOT = Path(__file__).parents[2]


@pytest.fixture
def broken(tmp_path: Path) -> list[str]:
    """Return the options that name broken settings, a broken mapping and a broken rule."""
    (tmp_path / "adapter.toml").write_text("[server]\nprot = 1\n")
    for folder, text in (("mappings", "source: segment\nmapings: []\n"), ("rules", "name: x\ntriger: y\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "one.yaml").write_text(text)
        (tmp_path / folder / "one.test.yaml").write_text("source: segment\ncases: [{nam: x}]\n")
    return [
        *("--config", str(tmp_path / "adapter.toml")),
        *("--mappings", str(tmp_path / "mappings")),
        *("--rules", str(tmp_path / "rules")),
    ]


def test_the_files_that_come_with_the_adapter_are_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = CliRunner().invoke(commands, ["check", "--strict"])
    assert (result.exit_code, result.stdout) == (0, "settings, mappings and rules are in order\n")


def test_all_problems_of_all_files_are_reported_with_their_places(broken: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(commands, ["check", *broken])
    assert result.exit_code == 1
    lines = result.stdout.replace(f"{tmp_path}/", "").splitlines()
    assert "adapter.toml:2:1: unknown setting `server.prot`; did you mean `port`?" in lines
    assert any(line.startswith("mappings/one.yaml:2:1: ") for line in lines)
    assert any(line.startswith("rules/one.yaml:2:1: ") for line in lines)
    assert any(line.startswith("mappings/one.test.yaml:2:10: unknown key `nam`") for line in lines)
    assert any(line.startswith("rules/one.test.yaml:2:10: `nam` is not known here") for line in lines)


def test_programs_get_the_same_in_json(broken: list[str]) -> None:
    result = CliRunner().invoke(commands, ["check", "--json", *broken])
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["ok"] is False
    assert {
        "file": broken[1], "line": 2, "column": 1, "message": "unknown setting `server.prot`",
        "remedy": "did you mean `port`?", "severity": "error",
    } in told["problems"]  # fmt: skip
    assert len(told["problems"]) > 2


def test_files_that_are_in_order_are_ok_in_json_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = CliRunner().invoke(commands, ["check", "--json"])
    assert (result.exit_code, json.loads(result.stdout)) == (0, {"ok": True, "problems": [], "ignored": []})


@pytest.mark.parametrize(("asked", "code"), [([], 0), (["--strict"], 1)])
def test_warnings_fail_the_check_where_it_is_strict(asked: list[str], code: int, tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(
        "source: segment\n"
        "mappings:\n"
        "  - name: Slip\n"
        '    subscribe: type = "identify"\n'
        "    action: customer.upsert\n"
        '    fields: {source_id: {"@path": $.userid}}\n'
    )
    options = ["check", "--mappings", str(tmp_path), "--rules", str(ROOT / "rules"), *asked]
    told = CliRunner().invoke(commands, options)
    assert told.exit_code == code
    assert "warning: `userid` is never there" in told.stdout
    assert ("in order, with 1 warning" in told.stdout) == (code == 0)
    programs = json.loads(CliRunner().invoke(commands, [*options, "--json"]).stdout)
    assert programs["ok"] == (code == 0)


@pytest.mark.parametrize(("asked", "code"), [([], 0), (["--strict"], 1)])
def test_folders_that_hold_nothing_are_warned_of(asked: list[str], code: int, tmp_path: Path) -> None:
    mappings, rules = tmp_path / "mappings", tmp_path / "rules"
    (mappings / ".hidden").mkdir(parents=True)
    rules.mkdir()
    for other in (mappings / ".hidden" / "shop.yaml", mappings / "shop.test.yaml", rules / ".rule.yml"):
        other.write_text("source: segment\ncases: []\n")
    told = CliRunner().invoke(commands, ["check", "--mappings", str(mappings), "--rules", str(rules), *asked])
    assert told.exit_code == code
    remedy = "put a `*.yaml` file there, or name another folder"
    assert told.stdout.replace(f"{tmp_path}/", "").splitlines()[:2] == [
        f"mappings:1:1: warning: no mapping file in this folder: every message will be ignored; {remedy}",
        f"rules:1:1: warning: no rule in this folder: no discount will be issued; {remedy}",
    ]


def test_syntax_beyond_segment_is_warned_of_on_request(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(
        "source: segment\n"
        "mappings:\n"
        "  - name: Known\n"
        '    subscribe: type = "identify"\n'
        "    action: customer.upsert\n"
        "    fields:\n"
        '      source_id: {"@first": [{"@path": $.userId}, {"@path": $.anonymousId}]}\n'
    )
    options = ["check", "--mappings", str(tmp_path), "--rules", str(ROOT / "rules")]
    assert "warning" not in CliRunner().invoke(commands, options).stdout
    result = CliRunner().invoke(commands, [*options, "--portable"])
    assert result.exit_code == 0
    assert result.stdout.replace(f"{tmp_path}/", "").splitlines() == [
        (
            "shop.yaml:7:19: warning: `@first` is an extension that Segment does not know; "
            "leave it out where the mapping must run there"
        ),
        "settings, mappings and rules are in order, with 1 warning",
    ]


@pytest.mark.parametrize(
    ("conditions", "warned"),
    [
        ("[total > 5]", []),
        ("[tip > 5]", ["no mapping produces `tip` of the event `order_completed`, which `thanks` needs"]),
        ("[user.tier == 'gold']", ["no mapping produces `tier` of the customer, which `thanks` needs"]),
        ("[history.count('ride_ended') > 3]", [
            "no mapping produces the event `ride_ended`, which `thanks` needs"
        ]),
    ],
)  # fmt: skip
def test_a_rule_that_reads_a_field_of_no_mapping_is_warned_of(
    conditions: str, warned: list[str], tmp_path: Path
) -> None:
    mappings, rules = tmp_path / "mappings", tmp_path / "rules"
    mappings.mkdir()
    rules.mkdir()
    (mappings / "model.yaml").write_text(
        "traits: {tier: string}\nevents:\n  order_completed: {attributes: {total: number, tip: number}}\n"
        "  ride_ended: {attributes: {}}\n"
    )
    (mappings / "shop.yaml").write_text(
        "source: segment\n"
        "mappings:\n"
        "  - name: Orders\n"
        '    subscribe: type = "track" and event = "Order Completed"\n'
        "    action: event\n"
        "    fields:\n"
        '      source_id: {"@path": $.userId}\n'
        "      name: order_completed\n"
        '      attributes: {total: {"@path": $.properties.total}}\n'
    )
    (rules / "thanks.yaml").write_text(
        f"name: thanks\ntrigger: order_completed\nconditions: {conditions}\naction: {{type: free_shipping}}\n"
    )
    options = ["check", "--json", "--mappings", str(mappings), "--rules", str(rules)]
    told = json.loads(CliRunner().invoke(commands, options).stdout)
    assert told["ok"] is True, told
    assert [problem["message"] for problem in told["problems"]] == warned


@pytest.mark.parametrize(("until", "code"), [("2020-01-01T00:00:00Z", 1), ("2999-01-01T00:00:00Z", 0)])
def test_an_expired_rule_is_warned_of(until: str, code: int, tmp_path: Path) -> None:
    (tmp_path / "summer.yaml").write_text(
        "name: summer\ntrigger: order_completed\naction: {type: free_shipping}\n"
        f'guardrails: {{schedule: {{until: "{until}"}}}}\n'
    )
    options = ["check", "--strict", "--mappings", str(ROOT / "mappings"), "--rules", str(tmp_path)]
    told = CliRunner().invoke(commands, options)
    assert told.exit_code == code
    assert ("summer.yaml:4:32: warning: `until` is past" in told.stdout) == (code == 1)


def test_an_unreadable_certificate_is_reported_at_its_setting(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("no certificate")
    (tmp_path / "adapter.toml").write_text(f"[mparticle]\nopendsr_certificate = '{tmp_path}/key.pem'\n")
    told = CliRunner().invoke(commands, ["check", "--config", str(tmp_path / "adapter.toml")])
    assert told.exit_code == 1
    assert f"{tmp_path}/adapter.toml:2:1: `mparticle.opendsr_certificate` cannot be read" in told.stdout

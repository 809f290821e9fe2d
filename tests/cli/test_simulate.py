"""`adapter simulate`: over a store beside its server, exported files and raw payloads."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from adapter import app
from adapter.cli.main import commands
from adapter.settings.fields import build
from adapter.sources.registry import SOURCES
from tests.core.conftest import MAPPING

RULES = """\
name: cart
trigger: checkout_started
conditions: {all: [cart_value >= 100]}
action: {type: percentage_off, value: 15, max_amount: 40, currency: EUR, expires_in_hours: 24}
guardrails: {max_daily_redemptions: 300, per_user_limit: 5, stackable: true}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with rules, mappings and a draft."""
    for name, text in (("rules", RULES), ("mappings", MAPPING)):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.yaml").write_text(text)
    (tmp_path / "draft.yaml").write_text(RULES.replace(">= 100", ">= 50"))
    return tmp_path


def _calls(count: int = 6) -> list[dict[str, Any]]:
    now = datetime.now(UTC) - timedelta(hours=2)
    return [
        {
            "type": "track", "event": "Checkout Started", "userId": f"c-{nth}", "messageId": f"m-{nth}",
            "timestamp": (now + timedelta(minutes=nth)).isoformat(),
            "properties": {"cart_value": 30 + 30 * nth},
        }
        for nth in range(count)
    ]  # fmt: skip


def _settings(folder: Path) -> dict[tuple[str, ...], Any]:
    return {
        ("files", "mappings"): str(folder / "mappings"), ("files", "rules"): str(folder / "rules"),
        ("store", "url"): f"sqlite:///{folder / 'adapter.db'}",
    }  # fmt: skip


def run(folder: Path, *arguments: str) -> Result:
    config = folder / "adapter.toml"
    config.write_text(
        f'[files]\nmappings = "{folder}/mappings"\nrules = "{folder}/rules"\n'
        f'[store]\nurl = "sqlite:///{folder}/adapter.db"\n'
    )
    return CliRunner().invoke(commands, ["simulate", "--config", str(config), *arguments])


@contextmanager
def _serving(folder: Path, calls: list[dict[str, Any]], store: str = "") -> Iterator[None]:
    """Keep a server's store open, which has received calls."""
    settings = _settings(folder)
    settings["store", "url"] = store or settings["store", "url"]
    composed = app.compose(build(settings))
    with asyncio.Runner() as runner:
        working = composed.working()
        runner.run(working.__aenter__())
        body = json.dumps({"batch": calls}).encode()
        decoded = SOURCES["segment"].decode_recorded(body, datetime.now(UTC))
        runner.run(composed.ingest.receive(decoded))
        yield
        runner.run(working.__aexit__(None, None, None))


def test_a_database_is_read(folder: Path, postgres_url: str) -> None:
    with _serving(folder, _calls(), postgres_url):
        result = run(folder, "--store", postgres_url, "--since", "1d", "--json")
    assert result.exit_code == 0, result.output
    [book] = json.loads(result.stdout)["report"]["books"]
    assert [each["issued"] for each in book["rules"]] == [3]


def test_the_store_of_a_running_server_is_read(folder: Path) -> None:
    with _serving(folder, _calls()):
        result = run(folder, str(folder / "draft.yaml"), "--since", "1d", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)["report"]
    before, after = (book["rules"][0] for book in found["books"])
    assert (found["messages"], before["issued"], after["issued"]) == (6, 3, 5)
    assert found["comparison"]["winners"] == 2
    assert after["liability"] == {"EUR": 200}


def test_raw_payloads_and_exported_files_say_the_same(folder: Path) -> None:
    calls, rows = folder / "calls.jsonl", folder / "events.jsonl"
    calls.write_text("\n".join(map(json.dumps, _calls())))
    exported = [
        {
            "source_id": each["userId"], "name": "checkout_started", "occurred_at": each["timestamp"],
            "id": each["messageId"], "attributes": each["properties"],
        }
        for each in _calls()
    ]  # fmt: skip
    rows.write_text("\n".join(map(json.dumps, exported)))
    packed, whole = folder / "calls.jsonl.gz", folder / "whole.json"
    packed.write_bytes(gzip.compress(calls.read_bytes()))
    whole.write_text(json.dumps({"batch": _calls()}, indent=1))
    for path in (calls, rows, packed, whole):
        result = run(folder, "--events", str(path), "--json")
        assert result.exit_code == 0, result.output
        [book] = json.loads(result.stdout)["report"]["books"]
        assert [(each["triggered"], each["issued"]) for each in book["rules"]] == [(6, 3)]


def test_a_page_that_cannot_be_written_is_told_after_the_table(folder: Path) -> None:
    calls, page = folder / "calls.jsonl", folder / "missing" / "report.html"
    calls.write_text("\n".join(map(json.dumps, _calls())))
    result = run(folder, "--events", str(calls), "--html", str(page))
    assert (result.exit_code, "TRIGGERED" in result.stdout) == (1, True)
    assert f"adapter: cannot write {page}: No such file or directory" in result.stderr


def test_a_table_a_page_and_a_sweep_are_written(folder: Path) -> None:
    calls, page = folder / "calls.jsonl", folder / "report.html"
    calls.write_text("\n".join(map(json.dumps, _calls())))
    result = run(
        folder, str(folder / "draft.yaml"), "--events", str(calls), "--html", str(page),
        "--what-if", "guardrails.max_daily_redemptions=1,2,9",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[2].split()[:5] == ["RULE", "TRIGGERED", "MET", "ISSUED", "WAS"]
    assert lines[3].split()[:5] == ["cart", "6", "5", "5", "3"]
    at = lines.index("What if guardrails.max_daily_redemptions")
    assert [line.split()[:3] for line in lines[at + 2 : at + 5]] == [
        ["1", "1", "4"],
        ["2", "2", "3"],
        ["9", "5", "0"],
    ]
    assert "What if" in page.read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--since", "soon"], "`soon` is no time"),
        (["--what-if", "guardrails"], "is not a sweep"),
        (["--since", "1d"], "there is no store"),
    ],
)
def test_what_cannot_be_simulated_says_why(folder: Path, arguments: list[str], said: str) -> None:
    result = run(folder, *arguments)
    assert result.exit_code != 0
    assert said in result.output


def test_a_broken_draft_names_its_place(folder: Path) -> None:
    (folder / "draft.yaml").write_text("name: cart\ntrigger: checkout_started\n")
    result = run(folder, str(folder / "draft.yaml"))
    assert result.exit_code == 1
    assert f"{folder}/draft.yaml:1:1" in result.output

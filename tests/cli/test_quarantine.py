"""`adapter quarantine`, beside no server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from adapter.cli.main import commands
from tests.cli.test_replay import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path)
    assert made.send() == "quarantined"
    return made


def run(shop: Shop, *arguments: str) -> Result:
    return CliRunner().invoke(commands, ["quarantine", *arguments, "--store", shop.url])


def test_messages_are_listed_and_deleted_with_a_reason(shop: Shop) -> None:
    listed = run(shop, "list").stdout
    assert "segment m1:track: " in listed
    assert listed.endswith("1 message\n")
    [entry] = json.loads(run(shop, "list", "--json").stdout)["quarantined"]
    assert run(shop, "delete", "--because", "no such", "--reason", "x").stdout == "0 deleted\n"
    tried = run(shop, "delete", "--because", "SOURCE_ID", "--reason", "old app", "--dry-run")
    assert tried.stdout.splitlines() == [f"      1 {entry['reason']}", "1 would be deleted"]
    done = json.loads(run(shop, "delete", "--id", str(entry["id"]), "--reason", "old app", "--json").stdout)
    assert done == {"removed": 1, "reasons": {entry["reason"]: 1}, "dry_run": False}
    assert run(shop, "list").stdout == "0 messages\n"


def test_without_a_filter_or_with_a_wrong_time_nothing_is_deleted(shop: Shop) -> None:
    for wrong in (("--reason", "x"), ("--all", "--reason", " "), ("--before", "soon", "--reason", "x")):
        assert run(shop, "delete", *wrong).exit_code != 0
    assert run(shop, "list").stdout.endswith("1 message\n")

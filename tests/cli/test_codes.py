"""`adapter codes add`: a file of codes into a pool."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapter.cli.main import commands

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("times", [1, 2])
def test_codes_of_a_file_are_added_once(times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    store = f"sqlite:///{tmp_path / 'adapter.db'}"
    assert CliRunner().invoke(commands, ["store", "migrate", "--store", store]).exit_code == 0
    (tmp_path / "codes.txt").write_text("P-1\n\n P-2 \np1\n")
    asked = ["codes", "add", "partner", str(tmp_path / "codes.txt"), "--store", store, "--json"]
    results = [CliRunner().invoke(commands, asked) for _ in range(times)]
    assert [result.exit_code for result in results] == [0] * times, results[-1].output
    assert [json.loads(result.stdout)["added"] for result in results] == [2, 0][:times]


def test_a_line_that_cannot_be_a_code_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    store = f"sqlite:///{tmp_path / 'adapter.db'}"
    assert CliRunner().invoke(commands, ["store", "migrate", "--store", store]).exit_code == 0
    (tmp_path / "codes.txt").write_text("A CODE\n")
    result = CliRunner().invoke(
        commands, ["codes", "add", "partner", str(tmp_path / "codes.txt"), "--store", store]
    )
    assert (result.exit_code, "A CODE" in result.output) == (1, True)

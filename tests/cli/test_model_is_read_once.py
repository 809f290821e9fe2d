"""A command reads each file of the data model once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapter.cli.main import commands
from adapter.files import yaml
from adapter.files.problems import Problem

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("command", [["check"], ["test"], ["lift"]], ids=lambda words: words[0])
def test_a_command_reads_the_data_model_once(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: Counter[str] = Counter()

    def counted(path: Path, name: str) -> tuple[str | None, list[Problem]]:
        reads[path.name] += 1
        return read(path, name)

    read = yaml.read_text
    monkeypatch.setattr(yaml, "read_text", counted)
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("ADAPTER_STORE_URL", f"sqlite:///{tmp_path / 'none.db'}")
    CliRunner().invoke(commands, command)
    assert reads["model.yaml"] == 1

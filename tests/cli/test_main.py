"""The command line as a whole."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from adapter import __version__
from adapter.cli.main import commands

NAMES = sorted(getattr(get_command(commands), "commands"))  # noqa: B009 - click's Group, seen through typer


def test_the_version_is_printed() -> None:
    assert CliRunner().invoke(commands, ["--version"]).stdout == f"{__version__}\n"


def test_without_a_command_the_commands_are_listed() -> None:
    result = CliRunner().invoke(commands, [])
    assert all(name in result.output for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_command_says_what_it_does_and_shows_examples(name: str) -> None:
    result = CliRunner().invoke(commands, [name, "--help"])
    assert result.exit_code == 0
    assert "Examples:" in result.output
    assert f"  adapter {name}" in result.output


def test_the_module_runs_as_a_command() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "adapter.cli.main", "--version"], capture_output=True, text=True, check=True
    )
    assert ran.stdout == f"{__version__}\n"

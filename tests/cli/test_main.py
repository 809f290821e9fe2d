"""The command line as a whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from adapter import __version__
from adapter.cli import main as command_line
from adapter.cli.main import commands

NAMES = sorted(getattr(get_command(commands), "commands"))  # noqa: B009 - click's Group, seen through typer
CLI = Path(command_line.__file__).parent
LOADED = """
import sys
from typer.testing import CliRunner
from adapter.cli.main import commands
CliRunner().invoke(commands, sys.argv[1:], catch_exceptions=False)
print(*(name for name in sys.modules if name.startswith("adapter")))
"""


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


def test_every_file_with_examples_is_a_command() -> None:
    files = [path.stem for path in CLI.glob("*.py") if "\nEXAMPLES = " in path.read_text()]
    assert sorted(files) == NAMES


@pytest.mark.process
def test_a_command_imports_its_own_file_and_not_the_server() -> None:
    """Most of the time of a short command is that of its imports."""
    ran = subprocess.run(
        [sys.executable, "-c", LOADED, "model", "--help"], capture_output=True, text=True, check=True
    )
    loaded = set(ran.stdout.split())
    assert {f"adapter.cli.{name}" for name in NAMES} & loaded == {"adapter.cli.model", "adapter.cli.map"}
    assert {"adapter.app", "adapter.server", "adapter.web", "adapter.store"} & loaded == set()


def test_the_module_runs_as_a_command() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "adapter.cli.main", "--version"], capture_output=True, text=True, check=True
    )
    assert ran.stdout == f"{__version__}\n"

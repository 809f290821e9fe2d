"""docs/start.md, followed command by command; in a long run with the built wheel in its own environment."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from typer.testing import CliRunner

from adapter.cli.main import commands

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "start.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"((?:[^\n]+\n)*)\n```(\w+)\n(.*?)```", re.DOTALL)
INSTALL = "python3 -m venv .venv && . .venv/bin/activate\npip install behaviour-discounts-adapter\n"


class Reader:
    """Follows the page in a folder: writes its files, runs its commands, and keeps what they print.

    `first` is what a shell runs before each command; without it, commands run in this process.
    """

    def __init__(self, folder: Path, first: str | None = None) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = str(free.getsockname()[1])
        self._folder = folder
        self._environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ},
            "ADAPTER_SERVER_PORT": self._port,
        }
        self._before = first
        self._log = folder / "serve.log"
        self._server: subprocess.Popen[bytes] | None = None
        self.printed: dict[str, str] = {}

    def follow(self, page: str) -> None:
        for caption, language, content in BLOCK.findall(page):
            if language == "sh" and content != INSTALL:
                for line in content.splitlines():
                    self.run(line)
            elif language != "sh":
                [*_, name] = re.findall(r"`((?:\w+/)?[\w.-]+\.(?:yaml|json))`", caption)
                (self._folder / name).write_text(content, encoding="utf-8")

    def run(self, line: str) -> None:
        if line == "cd shop":
            self._folder /= "shop"
            return
        if line == "adapter serve":
            self.serve()
            return
        if line == "adapter send trip.json":
            self.await_log("rule two-to-travel")
        if self._before is None and line.startswith("adapter "):
            with contextlib.chdir(self._folder):
                result = CliRunner().invoke(commands, shlex.split(line)[1:], env=self._environment)
            assert result.exit_code == 0, f"{line}\n{result.output}"
            self.printed[line] = self.printed.get(line, "") + result.stdout
        else:
            command = f"{self._before or ''}\n{line.replace(':8000/', f':{self._port}/')}"
            done = subprocess.run(
                ["sh", "-ec", command],
                cwd=self._folder,
                env=self._environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
            self.printed[line] = self.printed.get(line, "") + done.stdout

    def serve(self) -> None:
        program = "adapter" if self._before else f"'{sys.executable}' -m adapter.cli.main"
        command = f"{self._before or ''}\nexec {program} serve >'{self._log}' 2>&1"
        self._server = subprocess.Popen(["sh", "-ec", command], cwd=self._folder, env=self._environment)
        for _ in range(1200):  # a minute: the machine may be loaded
            try:
                with urlopen(f"http://127.0.0.1:{self._port}/health/ready", timeout=5):
                    return
            except OSError:
                assert self._server.poll() is None
                time.sleep(0.05)

    def await_log(self, text: str) -> None:
        for _ in range(400):
            if text in self._log.read_text(encoding="utf-8"):
                return
            time.sleep(0.05)

    def end(self) -> None:
        if self._server is not None:
            self._server.terminate()
            self._server.wait(20)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    made = Reader(tmp_path)
    yield made
    made.end()


def expect_promises(reader: Reader) -> None:
    """Expect what the page says that its reader sees."""
    printed = reader.printed
    assert printed["adapter check --strict"] == "settings, mappings and rules are in order\n" * 2
    assert re.fullmatch(r"\d+ cases passed\n", printed["adapter test"])
    assert "HV15-" in printed["adapter send --example checkout"]
    assert "takes it: Trip quoted" in printed["adapter map trip.json"]
    assert "TRIP-" in printed["adapter send trip.json"]


@pytest.mark.process
@pytest.mark.slow
def test_the_page_leads_to_a_discount_of_a_starter_and_one_of_an_own_rule(reader: Reader) -> None:
    reader.follow(PAGE)
    expect_promises(reader)
    assert "HV15-" not in PAGE.split("```json")[1]  # what is promised comes from the commands


@pytest.mark.process
@pytest.mark.long
def test_it_does_so_with_the_built_wheel_in_an_environment_of_its_own(tmp_path: Path) -> None:
    source, dist, folder = tmp_path / "source", tmp_path / "dist", tmp_path / "empty"
    source.mkdir()
    folder.mkdir()
    shutil.copytree(ROOT / "adapter", source / "adapter", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", str(dist), str(source)], check=True)
    [wheel] = dist.glob("*.whl")
    constraints = f"-c {ROOT / 'scripts' / 'constraints.txt'}"
    install = INSTALL.replace("python3", sys.executable).replace(
        "behaviour-discounts-adapter", f"{wheel} {constraints}"
    )
    subprocess.run(["sh", "-ec", install], cwd=folder, check=True)
    reader = Reader(folder, f"PATH='{folder}/.venv/bin':$PATH")
    try:
        reader.follow(PAGE)
    finally:
        reader.end()
    expect_promises(reader)


def test_the_wheel_carries_every_starter() -> None:
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"][
        "adapter"
    ]
    package = ROOT / "adapter"
    carried = {path for pattern in data for path in package.glob(pattern) if path.is_file()}
    assert {path for path in (package / "starters").rglob("*") if path.is_file()} <= carried

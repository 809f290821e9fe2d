"""Started servers without the second in which Python imports: forked from a process that has imported all.

As a program it reads commands, a JSON line each, and answers with the id of the process that runs it.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from typer.testing import CliRunner

from adapter.cli import main as cli
from adapter.destinations.transport import trusted

ROOT = Path(__file__).parents[2]


class Child:
    """A process that is not ours to wait for, with what of `Popen` a server needs."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        try:
            self._handle: int | None = os.pidfd_open(pid)
        except ProcessLookupError:
            self._handle = None

    def poll(self) -> int | None:
        """Return None while it lives."""
        return self._ended(0)

    def wait(self, timeout: float) -> int:
        """Wait until it has ended."""
        ended = self._ended(timeout)
        if ended is None:
            raise TimeoutError(f"process {self.pid} did not end within {timeout} seconds")
        return ended

    def send_signal(self, how: int) -> None:
        """Send a signal, if it still lives."""
        if self._handle is not None and self.poll() is None:
            signal.pidfd_send_signal(self._handle, how)

    def terminate(self) -> None:
        """Ask it to stop."""
        self.send_signal(signal.SIGTERM)

    def _ended(self, timeout: float) -> int | None:
        if self._handle is None:
            return -1
        ready, _, _ = select.select([self._handle], [], [], timeout)
        if not ready:
            return None
        os.close(self._handle)
        self._handle = None
        return -1


class ForkServer:
    """Runs command lines of Python; see `fork_server`."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def launch(self, command: list[str], environ: dict[str, str], cwd: Path) -> Child:
        """Run `[python, "-m", "adapter.cli.main", …]` or `[python, SCRIPT, …]` in a process of its own."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = json.dumps({"command": command[1:], "environ": environ, "cwd": str(cwd)})
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()
        return Child(int(self._process.stdout.readline()))


@contextmanager
def fork_server() -> Iterator[ForkServer]:
    """Run a fork server while the block runs."""
    with subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        yield ForkServer(process)
        process.kill()


def main() -> None:
    import_module("adapter.cli.serve")  # and all that a server needs
    import_module("anyio._backends._asyncio")
    # Its children need not compile these files, read these authorities and import what parses arguments.
    ran = CliRunner().invoke(
        cli.commands, ["check", "--mappings", str(ROOT / "mappings"), "--rules", str(ROOT / "rules")]
    )
    if ran.exit_code:
        raise SystemExit(ran.output)
    trusted()
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        if (pid := os.fork()) == 0:
            _run(asked["command"], asked["environ"], asked["cwd"])
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


def _run(command: list[str], environ: dict[str, str], cwd: str) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(cwd)
    try:
        if command[0] == "-m":
            sys.argv = ["adapter", *command[2:]]
            cli.main()
        else:
            sys.argv = command
            runpy.run_path(command[0], run_name="__main__")
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()

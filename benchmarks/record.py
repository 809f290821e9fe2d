"""Run a benchmark, and keep its last line with what it was measured on, as benchmarks/results/NAME.json.

    .venv/bin/python -m benchmarks.record ingest_sqlite benchmarks.ingest --rounds 5 --seconds 4
    .venv/bin/python -m benchmarks.plots            then draws docs/images and fills docs/performance.md

Run it on an idle machine, from a commit without changes. The file has the commit, the date and the machine.
A note that begins with `--note=` says what a reader must know of this run.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    given = sys.argv[1:]
    note = "".join(one.removeprefix("--note=") for one in given if one.startswith("--note="))
    name, module, *options = (one for one in given if not one.startswith("--note="))
    result = {
        "command": " ".join([".venv/bin/python -m", module, *options]),
        "commit": _commit(),
        "measured": datetime.now(UTC).date().isoformat(),
        "machine": _machine(),
        "note": note,
        "figures": _figures([sys.executable, "-m", module, *options]),
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def _figures(command: list[str]) -> Any:
    """Run a benchmark, show what it prints, and return the JSON of its last line."""
    last = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        for line in running.stdout or ():
            print(line, end="", flush=True)
            last = line
    if running.returncode:
        sys.exit(running.returncode)
    return json.loads(last)


def _commit() -> str:
    """Return the commit, with a `+` where files were changed since."""
    head = _output("git", "rev-parse", "--short=7", "HEAD")
    return head + ("+" if _output("git", "status", "--porcelain", "--untracked-files=no") else "")


def _machine() -> str:
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} processor cores, {memory:.0f} GB of memory, {system}"


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()

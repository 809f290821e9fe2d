"""scripts/lengths.py: files and functions may have so many lines."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "lengths.py"
BODY = "def taken() -> None:\n" + "    pass\n" * 59
METHOD = "class A:\n    def taken(self) -> None:\n" + "        pass\n" * 60


def lengths(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, folder], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BODY, ""),
        (BODY + "    pass\n", ":1: `taken` has 61 lines; a function may have 60"),
        (
            "class A:\n" + "".join(f"    {line}\n" for line in BODY.splitlines()) + "        pass\n",
            ":2: `taken`",
        ),
        ("async " + BODY + "    pass\n", ":1: `taken` has 61 lines"),
        ("pass\n" * 400, ""),
        ("pass\n" * 401, ": 401 lines; a file may have 400"),
    ],
)
def test_what_is_too_long_is_named_and_fails(text: str, said: str, tmp_path: Path) -> None:
    inner = tmp_path / "package"
    inner.mkdir()
    (inner / "module.py").write_text(text)
    ran = lengths(tmp_path)
    assert ran.returncode == bool(said), ran
    assert (f"{inner / 'module.py'}{said}" in ran.stdout) if said else ran.stdout == ""

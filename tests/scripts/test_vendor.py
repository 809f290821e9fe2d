"""scripts/vendor: the libraries that are carried are those that were pinned."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SUMS = ROOT / "scripts" / "vendor.sha256"


def checked(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(folder / "scripts" / "vendor"), "--check"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_every_file_is_as_it_was_pinned() -> None:
    found = checked(ROOT)
    assert (found.returncode, found.stderr) == (0, "")


def test_a_file_that_was_changed_is_named(tmp_path: Path) -> None:
    paths = [line.split("  ", 1)[1] for line in SUMS.read_text().splitlines()]
    for path in (*paths, "scripts/vendor", "scripts/vendor.toml", "scripts/vendor.sha256"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    assert checked(tmp_path).returncode == 0
    (tmp_path / paths[0]).write_text("changed")
    found = checked(tmp_path)
    assert (found.returncode, paths[0] in found.stderr) == (1, True)


def test_every_library_has_its_licence() -> None:
    folders = {Path(line.split("  ", 1)[1]).parent for line in SUMS.read_text().splitlines()}
    assert [folder for folder in sorted(folders) if not list((ROOT / folder).glob("LICENSE*"))] == []

"""What a folder of files is read as."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from adapter.files.folders import visible


def test_hidden_files_and_folders_are_left_out_and_the_rest_is_in_order(tmp_path: Path) -> None:
    shop = tmp_path / ".hidden" / "shop"  # a folder may itself lie in a hidden one
    for name in ("b.yaml", "a.yaml", "c/a.yaml", ".#a.yaml", ".ipynb_checkpoints/a.yaml", "c/.old/a.yaml"):
        path = shop / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found = [str(path.relative_to(shop)) for path in visible(shop, "**/*.yaml", "*.yaml")]
    assert found == ["a.yaml", "b.yaml", "c/a.yaml"]


def test_a_folder_that_cannot_be_listed_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.yaml", "gone/b.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    scandir = os.scandir

    def failing(path: Any) -> Any:
        if os.fspath(path).endswith("gone"):
            raise OSError(errno.EINVAL, "Invalid argument", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", failing)
    assert visible(tmp_path, "**/*.yaml") == [tmp_path / "a.yaml"]

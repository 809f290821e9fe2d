"""What a folder of files is read as."""

from __future__ import annotations

from pathlib import Path

from adapter.files.folders import visible


def test_hidden_files_and_folders_are_left_out_and_the_rest_is_in_order(tmp_path: Path) -> None:
    shop = tmp_path / ".hidden" / "shop"  # a folder may itself lie in a hidden one
    for name in ("b.yaml", "a.yaml", "c/a.yaml", ".#a.yaml", ".ipynb_checkpoints/a.yaml", "c/.old/a.yaml"):
        path = shop / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found = [str(path.relative_to(shop)) for path in visible(shop, "**/*.yaml", "*.yaml")]
    assert found == ["a.yaml", "b.yaml", "c/a.yaml"]

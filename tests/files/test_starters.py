"""The starters of the package: released versions never change, and the newest are those of the project."""

from __future__ import annotations

import runpy
from hashlib import sha256
from pathlib import Path
from typing import get_args

import pytest

from adapter.files import starters, yaml
from adapter.files.starters import Kind

ROOT = Path(__file__).parents[2]
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "package_starters.py"))


def test_a_released_version_never_changes() -> None:
    released = SCRIPT["released"]()
    found = {name: sha256((starters.FOLDER / f"{name}.yaml").read_bytes()).hexdigest() for name in released}
    assert found == released, "a released starter was edited: run scripts/starters, which adds a version"
    assert {f"mappings/{each}@1" for each in ("segment", "mparticle")} < released.keys()


def test_the_newest_versions_are_the_files_of_the_project() -> None:
    for name, text in SCRIPT["starters"]().items():
        kind, _, short = name.partition("/")
        assert starters.text(kind, starters.latest(kind, short)) == text, f"{name}: run scripts/starters"
    assert (starters.FOLDER / "project" / "adapter.toml").read_text() == (ROOT / "adapter.toml").read_text()


def test_a_changed_starter_gets_the_next_version_once_it_is_released(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = SCRIPT["package"].__globals__
    monkeypatch.setitem(names, "PACKAGED", tmp_path)
    monkeypatch.setitem(names, "RELEASED", tmp_path / "released.txt")
    monkeypatch.setitem(names, "PACKS", ())
    texts = {"rules/starter": "one"}
    monkeypatch.setitem(names, "starters", lambda: texts)
    SCRIPT["package"]()
    texts["rules/starter"] = "two"
    SCRIPT["package"]()  # not released: written over
    assert [path.name for path in (tmp_path / "rules").iterdir()] == ["starter@1.yaml"]
    SCRIPT["release"]()
    texts["rules/starter"] = "three"
    SCRIPT["package"]()
    written = {path.name: path.read_text() for path in (tmp_path / "rules").iterdir()}
    assert written == {"starter@1.yaml": "two", "starter@2.yaml": "three"}


def test_every_starter_is_read_with_positions_that_name_it() -> None:
    for kind in get_args(Kind):
        for reference in starters.references(kind):
            document, _ = yaml.parse(f"extends: {reference}\n", "mine.yaml")
            assert document is not None
            [base], problems = starters.extended(kind, document)
            assert problems == []
            assert starters.is_starter(base.mark().file)
    assert not starters.is_starter("adapter/segment.yaml")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (
            "adapter/segmnt@1",
            "has no starter `adapter/segmnt@1` for this file; did you mean `adapter/segment@1`?",
        ),
        ("adapter/segment@99", "this adapter has no `adapter/segment@99`; known are `adapter/segment@1`"),
        ("adapter/segment", "`adapter/segment` names no version; write `adapter/segment@1`"),
        ("7", "`extends` is no starter; write `adapter/mparticle@1`"),
        ("[adapter/segment@1, adapter/../x@1]", "mine.yaml:1:30: this adapter has no starter"),
    ],
)
def test_an_unknown_starter_is_reported_with_what_to_write(written: str, told: str) -> None:
    document, _ = yaml.parse(f"extends: {written}\n", "mine.yaml")
    assert document is not None
    _, [problem] = starters.extended("mappings", document)
    assert told in str(problem)

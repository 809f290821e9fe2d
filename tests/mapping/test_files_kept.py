"""Files are read again only where their text has changed, and nobody changes what is kept of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from adapter.cli.payloads import decode_case
from adapter.datamodel import load as data_model
from adapter.files import yaml
from adapter.files.problems import Problem
from adapter.mapping import mapping_set
from adapter.mapping.testing import case_files, cases

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "mappings", tmp_path / "mappings"))


def test_what_has_changed_is_parsed_again_and_nothing_else(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []
    parse = yaml.parse

    def noted(text: str, name: str) -> tuple[yaml.Document | None, list[Problem]]:
        parsed.append(Path(name).name)
        return parse(text, name)

    monkeypatch.setattr(yaml, "parse", noted)
    first, _ = mapping_set.load(folder)
    assert sorted(parsed) == ["model.yaml", "mparticle.yaml", "segment.yaml"]
    parsed.clear()
    again, _ = mapping_set.load(folder)
    assert not parsed
    file = folder / "segment.yaml"
    file.write_text(file.read_text() + "# changed\n")
    changed, _ = mapping_set.load(folder)
    assert parsed == ["segment.yaml"]
    assert first is not None
    assert again is not None
    assert changed is not None
    assert first.digest == again.digest == changed.digest


def test_problems_of_a_file_that_is_kept_are_reported_every_time(folder: Path) -> None:
    file = folder / "segment.yaml"
    file.write_text(file.read_text().replace("subscribe:", "subscribed:", 1))
    _, first = mapping_set.load(folder)
    _, again = mapping_set.load(folder)
    assert any("subscribed" in problem.message for problem in first)
    assert again == first


def test_mapping_messages_leaves_the_kept_files_as_they_were_read() -> None:
    book, _ = mapping_set.load(ROOT / "mappings")
    assert book is not None
    read, problems = case_files.load(ROOT / "mappings")
    assert not problems
    assert any(result.outcome.operations for result in cases.run(book, read, decode_case))
    kept = {mapping.document.file: mapping.document for mapping in book.mappings}
    for name, document in kept.items():
        fresh, _ = yaml.parse(document.text, name)
        assert document == fresh
    assert data_model.load(ROOT / "mappings")[0] == book.model

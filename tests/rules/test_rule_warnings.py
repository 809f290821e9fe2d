"""Files that check and yet can hardly be meant: a warning at its place, with what to write instead."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapter.files import yaml
from adapter.rules.engine.ruleset import load

_DOCUMENT, _ = yaml.read(Path(__file__).parent / "lint.yaml")
assert _DOCUMENT is not None
CASES: list[dict[str, Any]] = _DOCUMENT.value


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_each_warning_has_its_place(case: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / f"{case.get('as', 'rule')}.yaml"
    path.write_text(case["file"], encoding="utf-8")
    if "shop" in case:
        (tmp_path / "definitions.yaml").write_text(case["shop"], encoding="utf-8")
    book, problems = load(tmp_path, now=datetime(2026, 1, 15, 12, tzinfo=UTC))
    assert book is not None, problems
    found = [str(problem).removeprefix(f"{path}:").replace("warning: ", "", 1) for problem in problems]
    assert len(found) == len(case["warnings"]), found
    for expected, line in zip(case["warnings"], found, strict=True):
        assert line.startswith(expected), found
    assert all(problem.remedy and problem.severity == "warning" for problem in problems)

"""Files that do not check: every problem at once, at its place, with what to write instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapter.files import yaml
from adapter.rules.engine.ruleset import load

_DOCUMENT, _ = yaml.read(Path(__file__).parent / "problems.yaml")
assert _DOCUMENT is not None
CASES: list[dict[str, Any]] = _DOCUMENT.value


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_each_problem_has_its_place(case: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / f"{case.get('as', 'rule')}.yaml"
    path.write_text(case["file"], encoding="utf-8")
    book, problems = load(tmp_path)
    assert book is None
    found = [str(problem).removeprefix(f"{path}:") for problem in problems]
    assert len(found) == len(case["problems"]), found
    for expected, line in zip(case["problems"], found, strict=True):
        assert line.startswith(expected), found
    assert all(problem.remedy for problem in problems if not problem.message.startswith("not YAML")), found


def test_problems_of_several_files_are_reported_together(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text("name: same\ntrigger: x\naction: {type: nope}\n")
    (tmp_path / "c.yaml").write_text("name: [\n")
    _, problems = load(tmp_path)
    assert [Path(problem.mark.file).name for problem in problems] == ["a.yaml", "b.yaml", "c.yaml"]


def test_a_missing_directory_is_reported_with_its_full_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    book, [problem] = load(Path("nowhere"))
    assert book is None
    assert problem.message == f"there is no such directory: `{tmp_path}/nowhere`"

"""docs/walk.md, walked: its files written, its commands run, and what it promises seen."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapter.cli.main import commands

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"((?:[^\n]+\n)*)\n```(\w+)\n(.*?)```", re.DOTALL)


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for folder in ("mappings", "rules", "fixtures"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(caption: str, content: str) -> None:
    """Write a block into the file that the paragraph before it names last, or under one of its keys."""
    path = Path(re.findall(r"`((?:mappings|rules)/[\w.-]+)`", caption)[-1])
    key = re.search(r"under\s+`(\w+:)`\s+in", caption)
    if key is None:
        path.write_text(content, encoding="utf-8")
    else:
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(f"\n{key[1]}\n", f"\n{key[1]}\n{content}", 1), encoding="utf-8")


def walk() -> dict[str, list[str]]:
    """Return what each command printed, in order; a failing one fails the test."""
    printed: dict[str, list[str]] = {}
    for caption, language, content in BLOCK.findall((ROOT / "docs" / "walk.md").read_text(encoding="utf-8")):
        if language != "sh":
            write(caption, content)
            continue
        for line in content.splitlines():
            if line.startswith("adapter "):
                result = CliRunner().invoke(commands, shlex.split(line)[1:])
                assert result.exit_code == 0, f"{line}\n{result.output}"
                printed.setdefault(line, []).append(result.stdout)
    return printed


def test_every_step_shows_what_it_promises(clone: Path) -> None:
    printed = walk()
    today, mapped, agreed = printed["adapter map mappings/review.json"]
    assert "takes it: Event from track" in today
    assert 'stars: "5"' in today
    assert "takes it: Review (mappings/reviews.yaml:3)" in mapped
    assert "last_review_stars: 5" in agreed
    assert 'stars: "5"' not in agreed
    assert printed["adapter check"] == ["settings, mappings and rules are in order\n"] * 2
    assert printed["adapter test mappings/reviews.test.yaml"] == ["1 case passed\n"]
    assert "expect:" in (clone / "mappings/reviews.test.yaml").read_text(encoding="utf-8")
    [table] = printed["adapter model show"]
    [line] = [line for line in table.splitlines() if line.startswith("review_submitted")]
    assert line.endswith("-> review-thanks")


def test_the_slips_that_it_invites_are_caught(clone: Path) -> None:
    walk()
    for name, right, wrong in (
        ("mappings/reviews.yaml", "$.properties.stars", "$.propertis.stars"),
        ("rules/review-thanks.yaml", "stars >= 4", "starz >= 4"),
    ):
        path = clone / name
        path.write_text(path.read_text(encoding="utf-8").replace(right, wrong), encoding="utf-8")
    told = CliRunner().invoke(commands, ["check"])
    assert told.exit_code == 1
    assert "did you mean `properties`?" in told.stdout
    assert "unknown name `starz`; did you mean `stars`" in told.stdout

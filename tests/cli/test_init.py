"""`adapter init` and `adapter starters`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapter.cli.main import commands
from adapter.services.authoring import project


def run(*arguments: str) -> str:
    result = CliRunner().invoke(commands, arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("pack", [None, *project.PACKS])
def test_a_new_project_passes_the_commands_of_its_own_ci(
    pack: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run("init", "shop", *(["--pack", pack] if pack else []))
    monkeypatch.chdir(tmp_path / "shop")
    ci = Path(".github/workflows/check.yaml").read_text()
    assert "adapter check --strict && adapter test" in ci
    assert run("check", "--strict") == "settings, mappings and rules are in order\n"
    passed = run("test").strip()
    assert passed.endswith("cases passed")  # nothing failed, and nothing that no case tries
    for path in (*Path("mappings").glob("*.yaml"), *Path("rules").glob("*.yaml")):
        schema = path.read_text().splitlines()[0].partition("$schema=")[2]
        assert (path.parent / schema).is_file(), path


def test_it_writes_over_nothing_and_can_be_run_again(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    assert "would write" in run("init", str(folder), "--dry-run")
    assert not folder.exists()
    written = json.loads(run("init", str(folder), "--json"))["written"]
    assert {"adapter.toml", ".env.example", ".gitignore", "README.md"} < set(written)
    (folder / "README.md").unlink()  # as if it had been stopped half-way
    assert json.loads(run("init", str(folder), "--json"))["written"] == ["README.md"]
    (folder / "rules" / "starter.yaml").write_text("mine")
    (folder / "README.md").unlink()
    result = CliRunner().invoke(commands, ["init", str(folder)])
    assert result.exit_code == 1
    assert f"already there with other content: {folder}/rules/starter.yaml" in result.stderr
    assert not (folder / "README.md").exists()


def test_starters_are_listed_and_printed() -> None:
    assert "rules adapter/travel@1" in run("starters").splitlines()
    assert run("starters", "mappings", "adapter/segment@1").startswith("# Maps Segment's calls")
    result = CliRunner().invoke(commands, ["starters", "rules", "adapter/travl@1"])
    assert result.exit_code == 1
    assert "did you mean `adapter/travel@1`?" in result.stderr

"""docs/packs, taken as its page says: each pack copied over the starters checks clean, and its cases pass."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapter.cli.main import commands

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PACKS = sorted(path.name for path in (ROOT / "docs" / "packs").iterdir() if path.is_dir())


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for folder in ("mappings", "rules", "fixtures", "docs/packs", "docs/schema"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def take(*packs: str) -> dict[str, str]:
    """Run the page's commands for packs, those of `adapter` at the end; return what each of these printed."""
    page = (ROOT / "docs" / "packs" / "README.md").read_text(encoding="utf-8")
    [block] = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    checks = [shlex.split(line)[1:] for line in block.splitlines() if "adapter " in line]
    for pack in packs:
        copies = [line for line in block.replace("travel", pack).splitlines() if "adapter " not in line]
        subprocess.run(["sh", "-ec", "\n".join(copies)], check=True)
    printed = {}
    for command in checks:
        result = CliRunner().invoke(commands, command)
        assert result.exit_code == 0, result.output
        printed[" ".join(command)] = result.stdout
    return printed


@pytest.mark.parametrize("pack", PACKS)
def test_a_pack_over_the_starters_checks_clean_and_its_cases_pass(pack: str, clone: Path) -> None:
    printed = take(pack)
    assert printed["check"] == "settings, mappings and rules are in order\n"
    # Nothing that no case tries, neither of the pack nor of the starters.
    assert re.fullmatch(r"\d+ cases passed\n", printed["test"])
    for path in (*(clone / "mappings").glob("*.yaml"), *(clone / "rules").glob("*.yaml")):
        named = re.findall(r"yaml-language-server: \$schema=(\S+)", path.read_text(encoding="utf-8"))
        assert all((path.parent / name).is_file() for name in named), path.name


def test_all_packs_stand_together(clone: Path) -> None:
    take(*PACKS)
    assert len(list((clone / "mappings").glob("*.model.yaml"))) == len(PACKS)


# What the e-commerce pack shares, the starter declares already.
@pytest.mark.parametrize("pack", [pack for pack in PACKS if pack != "ecommerce"])
def test_without_its_part_of_the_model_a_pack_is_warned_of(pack: str, clone: Path) -> None:
    shutil.copytree(clone / "docs" / "packs" / pack / "mappings", clone / "mappings", dirs_exist_ok=True)
    (clone / "mappings" / f"{pack}.model.yaml").unlink()
    assert "is not in the data model" in CliRunner().invoke(commands, ["check"]).stdout

"""Copies the starter files into the package; run by scripts/starters.

With `--release` it adds the current versions to released.txt, after which they never change.
"""

from __future__ import annotations

import re
import shutil
import sys
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGED = ROOT / "adapter" / "starters"
RELEASED = PACKAGED / "released.txt"
PACKS = ("ecommerce", "services", "travel", "food-delivery")
SCHEMA = re.compile(r"# yaml-language-server:.*\n")


def starters() -> dict[str, str]:
    """Return the text of each starter by `KIND/NAME`."""
    found = {
        "mappings/segment": text("mappings/segment.yaml"),
        "mappings/mparticle": text("mappings/mparticle.yaml"),
        "model/starter": text("mappings/model.yaml"),
        "definitions/starter": text("rules/definitions.yaml"),
        "rules/starter": rules(ROOT / "rules"),
    }
    for pack in PACKS:
        folder = ROOT / "docs" / "packs" / pack
        for source in ("segment", "mparticle"):
            found[f"mappings/{source}-{pack}"] = text(f"docs/packs/{pack}/mappings/{source}-{pack}.yaml")
        found[f"model/{pack}"] = text(f"docs/packs/{pack}/mappings/{pack}.model.yaml")
        found[f"rules/{pack}"] = rules(folder / "rules")
    return found


def text(path: str) -> str:
    """Return the text of a file of this project, without the line that names its schema."""
    return SCHEMA.sub("", (ROOT / path).read_text(encoding="utf-8"))


def rules(folder: Path) -> str:
    """Return the rules of a folder as one list."""
    lines = ["rules:"]
    for path in sorted(folder.glob("*.yaml")):
        if path.name == "definitions.yaml" or path.stem.endswith(".test"):
            continue
        whole = SCHEMA.sub("", path.read_text(encoding="utf-8")).splitlines()
        lines += [f"  - {whole[0]}", *(f"    {line}".rstrip() for line in whole[1:]), ""]
    return "\n".join(lines)


def released() -> dict[str, str]:
    """Return the digests of the versions that never change, by `KIND/NAME@VERSION`."""
    lines = RELEASED.read_text(encoding="utf-8").splitlines() if RELEASED.exists() else []
    return {name: digest for digest, name in (line.split() for line in lines if line[:1] not in {"", "#"})}


def current(name: str) -> int:
    """Return the newest version of a starter, 0 without any."""
    versions = [int(path.stem.split("@")[1]) for path in PACKAGED.glob(f"{name}@*.yaml")]
    return max(versions, default=0)


def package() -> None:
    """Write each starter as its newest version, or as the next where that is released and differs."""
    frozen = released()
    for name, content in starters().items():
        version = max(current(name), 1)
        path = PACKAGED / f"{name}@{version}.yaml"
        if f"{name}@{version}" in frozen and path.read_text(encoding="utf-8") != content:
            path = PACKAGED / f"{name}@{version + 1}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    project = PACKAGED / "project"
    project.mkdir(exist_ok=True)
    shutil.copyfile(ROOT / "adapter.toml", project / "adapter.toml")
    for pack in PACKS:
        cases = project / "packs" / pack
        shutil.rmtree(cases, ignore_errors=True)
        shutil.copytree(ROOT / "docs" / "packs" / pack, cases, ignore=_not_cases)


def _not_cases(folder: str, names: list[str]) -> set[str]:
    """Return the names to leave out of a copy of a pack: all but its cases and their payloads."""
    return {
        name for name in names if (Path(folder) / name).is_file()
        and not name.endswith((".test.yaml", ".json"))
    }  # fmt: skip


def release() -> None:
    """List the newest version of each starter as released."""
    names = [f"{name}@{current(name)}" for name in starters()]
    known = released()
    for name in names:
        known.setdefault(name, sha256((PACKAGED / f"{name}.yaml").read_bytes()).hexdigest())
    head = "# Versions of starters that projects may extend, which never change again, by their SHA-256.\n"
    RELEASED.write_text(head + "".join(f"{known[name]} {name}\n" for name in sorted(known)), encoding="utf-8")


if __name__ == "__main__":
    package()
    if "--release" in sys.argv:
        release()

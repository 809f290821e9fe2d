"""docs/architecture.md: the tree and the files that it names are there, and its steps add what they say."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import textwrap
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE))
#: A block with its language, or a file that the text names.
_BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```$|`(adapter/[\w/]+\.(?:py|html))`", re.DOTALL | re.MULTILINE)
#: What runs after the steps of a section, and what it prints.
STEPS = {
    "Add a directive": (
        """
from adapter import mapping
made = mapping.compile({"a": {"@squeeze": {"@path": "$.b"}}})
print(made({"b": " x  y "}))
""",
        "{'a': 'x y'}",
    ),
    "Add a command": (
        """
import sys
from adapter.cli.main import main
sys.argv = ["adapter", "folders"]
main()
""",
        "mappings  mappings\nrules     rules",
    ),
    "Add a route": (
        """
from adapter.web.openapi import document
from adapter.web.routes import ROUTES
print(document(ROUTES)["paths"]["/v1/ignored/count"]["get"]["operationId"])
""",
        "countIgnored",
    ),
    "Add a page of the console": (
        """
from datetime import UTC, datetime
from adapter.console.pages import PAGES
from adapter.console.rendering import page_html
[page] = [each for each in PAGES if each.path == "/console/folders"]
shown = {"page": {"mappings": "m", "rules": "r"}}
print(page_html(page.template, shown, now=datetime.now(UTC), block="content"))
""",
        "<dt>mappings</dt><dd><code>m</code></dd>",
    ),
}


@pytest.mark.process
@pytest.mark.parametrize("section", STEPS)
def test_the_steps_of_the_page_add_what_they_say(section: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "adapter", tmp_path / "adapter")  # with its bytecode: to compile takes longest
    follow(SECTIONS[section], tmp_path)
    code, printed = STEPS[section]
    command = [sys.executable, "-c", code]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert printed in ran.stdout, ran.stderr


def follow(section: str, folder: Path) -> None:
    """Write each block of Python or HTML into the file that is named before it, and apply each diff to it."""
    path = folder
    for language, block, named in _BLOCK.findall(section):
        lines = textwrap.dedent(block)
        if named:
            path = folder / named
        elif language in ("python", "html"):
            path.write_text(lines, encoding="utf-8")
        elif language == "diff":
            changed(path, lines.splitlines())


def changed(path: Path, lines: list[str]) -> None:
    """Apply a diff whose context occurs once in the file."""
    text = path.read_text(encoding="utf-8")
    before = "".join(f"{line[1:]}\n" for line in lines if line[:1] != "+")
    after = "".join(f"{line[1:]}\n" for line in lines if line[:1] != "-")
    assert text.count(before) == 1, f"{path.name} has no such lines: {before}"
    path.write_text(text.replace(before, after), encoding="utf-8")


def test_every_package_of_the_tree_is_there_and_none_is_left_out() -> None:
    drawn, parent = set(), ""
    for indent, name in re.findall(r"^( +)(\w+)/", SECTIONS["The tree"].split("```")[1], re.MULTILINE):
        parent, path = (name, name) if len(indent) == 2 else (parent, f"{parent}/{name}")
        drawn.add(path)
    opened = {path.split("/")[0] for path in drawn if "/" in path}
    assert drawn == packages("") | {f"{room}/{name}" for room in opened for name in packages(room)}


def packages(room: str) -> set[str]:
    return {path.parent.name for path in (ROOT / "adapter" / room).glob("*/__init__.py")}


def test_every_function_of_the_walk_is_in_the_files_beside_it() -> None:
    rows = re.findall(
        r"^\| \d+\. .* \| (`.+`) \| (`.+`) \|$", SECTIONS["The walk of one message"], re.MULTILINE
    )
    assert len(rows) >= 10
    for functions, paths in rows:
        modules = [import_module(path[:-3].replace("/", ".")) for path in re.findall(r"`(.+?)`", paths)]
        found = [
            sum(is_defined(name, module) for module in modules) for name in re.findall(r"`(.+?)`", functions)
        ]
        assert all(found), f"{functions} in {paths}"


def is_defined(name: str, module: ModuleType) -> bool:
    value: object = module
    for part in name.split("."):
        value = getattr(value, part, None)
    return getattr(value, "__module__", "") == module.__name__


def test_every_file_that_the_page_names_is_there() -> None:
    created = set(re.findall(r"[Cc]reate `(adapter/[\w/]+\.py)`", PAGE))
    named = set(re.findall(r"`(adapter/[\w/]+\.py)`", PAGE)) - created
    assert created
    assert {path for path in named if not (ROOT / path).is_file()} == set()

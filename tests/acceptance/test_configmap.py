"""Files as Kubernetes mounts a ConfigMap: links into a hidden folder, which is swapped whole."""

from __future__ import annotations

import itertools
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from adapter.mapping.testing import case_files
from adapter.rules.testing import cases as rule_cases
from adapter.services.loaded_files import check_files
from adapter.settings.values import Files

ROOT = Path(__file__).parents[2]
RULE = """\
name: reviewed
trigger: review_submitted
action: {type: amount_off, value: 5, code_prefix: THANKS-}
"""
MAPPING = """\
source: segment
mappings:
  - name: Answers
    subscribe: type = "track" and event = "EVENT"
    action: event
    fields: {source_id: {"@path": $.userId}, name: review_submitted}
"""
_numbers = itertools.count(1)


def mount(volume: Path, version: str, files: dict[str, str]) -> None:
    """Lay files down as the kubelet does: in a hidden folder, to which `..data` leads, and a link to each."""
    data = volume / f"..{version}"
    data.mkdir(parents=True)
    for name, text in files.items():
        (data / name).write_text(text, encoding="utf-8")
    (volume / "..data_tmp").symlink_to(data.name)
    (volume / "..data_tmp").replace(volume / "..data")
    for name in files:
        if not (volume / name).is_symlink():
            (volume / name).symlink_to(f"..data/{name}")


def read(folder: Path) -> list[list[str]]:
    """Return the names of the mappings, rules and cases of a shop's files, which must check."""
    found = check_files(Files(str(folder / "mappings"), str(folder / "rules")))
    mappings, rules = found.mappings, found.rules
    assert mappings is not None, found.problems
    assert rules is not None, found.problems
    return [
        [mapping.name for mapping in mappings.mappings],
        [case.name for case in case_files.load(folder / "mappings")[0]],
        [rule.name for rule in rules.rules],
        [case.name for case in rule_cases.load(folder / "rules")[0]],
    ]


def test_a_mounted_volume_reads_like_the_folder_that_it_was_made_of(tmp_path: Path) -> None:
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")  # which cases name
    for room in ("mappings", "rules"):
        files = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / room).glob("*.yaml")}
        mount(tmp_path / room, "2026_01_15", files)
    assert read(tmp_path) == read(ROOT)


def test_a_swapped_volume_is_in_force_without_a_restart(
    start_server: Callable[..., Any], tmp_path: Path
) -> None:
    mappings, rules = tmp_path / "mappings", tmp_path / "rules"
    rules.mkdir()
    (rules / "reviewed.yaml").write_text(RULE)
    mount(mappings, "one", {"mail.yaml": MAPPING.replace("EVENT", "Mail Answered")})
    server = start_server(rules=rules, ADAPTER_FILES_MAPPINGS=str(mappings))
    assert earned(server, "Mail Answered") == [5]
    mount(mappings, "two", {"mail.yaml": MAPPING.replace("EVENT", "Letter Answered")})
    shutil.rmtree(mappings / "..one")
    deadline = time.monotonic() + 20
    while earned(server, "Letter Answered") != [5]:
        assert time.monotonic() < deadline, "the swapped files were not in force within 20 seconds"
        time.sleep(0.05)
    assert all(check["ok"] for check in server.get("/health/ready")["checks"])


def earned(server: Any, event: str) -> list[float]:
    """Return what such an event of a new customer earns now."""
    number = next(_numbers)
    body = {"type": "track", "event": event, "messageId": f"m-{number}", "userId": f"u-{number}"}
    answer = httpx.post(f"{server.url}/webhooks/segment", json=body, timeout=10).json()
    return [each["action"]["value"] for result in answer["results"] for each in result.get("discounts", [])]

"""A rule is stopped, and started again, by its file alone, while the server serves."""

from __future__ import annotations

import itertools
import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

RULE = """
name: welcome
trigger: checkout_started
action: {{type: percentage_off, value: 10, max_amount: 5}}
status: {status}
guardrails: {{max_daily_redemptions: {cap}, stackable: true}}
"""


def checks_out(server: Any, number: int) -> bool:
    call = {"type": "track", "event": "Checkout Started", "userId": f"u{number}", "messageId": f"m{number}"}
    return bool(server.post("/webhooks/segment", call)["results"][0].get("discounts"))


def reloads(server: Any) -> float:
    """Return how often the server has taken changed files."""
    told = httpx.get(f"{server.url}/metrics").text
    return sum(map(float, re.findall(r'^adapter_reloads_total\{outcome="taken"\} (.+)$', told, re.MULTILINE)))


def replace(file: Path, text: str, server: Any) -> None:
    """Replace the file in one step, and wait for the reload that follows."""
    before = reloads(server)
    fresh = file.parents[1] / "fresh.yaml"
    fresh.write_text(text)
    fresh.replace(file)
    deadline = time.monotonic() + 60
    while reloads(server) == before:
        assert time.monotonic() < deadline, "the changed file is not read"
        time.sleep(0.02)


@pytest.mark.parametrize(
    "stopped", [{"status": "paused", "cap": 9999}, {"status": "live", "cap": 0}], ids=str
)
def test_a_rule_stops_and_starts_again_with_the_first_request_after_its_file_is_read(
    start_server: Any, tmp_path: Path, stopped: dict[str, Any]
) -> None:
    """How soon a file is read after its change is for tests/services/test_file_watcher.py."""
    file = tmp_path / "rules" / "welcome.yaml"
    file.parent.mkdir()
    file.write_text(RULE.format(status="live", cap=9999))
    server = start_server(rules=file.parent)
    numbers = itertools.count()
    assert checks_out(server, next(numbers))
    replace(file, RULE.format(**stopped), server)
    assert not any(checks_out(server, next(numbers)) for _ in range(5))
    [decision] = server.get(f"/v1/decisions?source_id=u{next(numbers) - 1}")["decisions"]
    assert decision["outcomes"][0]["outcome"] == "withheld"
    replace(file, RULE.format(status="live", cap=9999), server)
    assert all(checks_out(server, next(numbers)) for _ in range(5))
    assert reloads(server) == 2

"""A rule is stopped, and started again, by its file alone, while the server serves."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any

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


@pytest.mark.parametrize(
    "stopped", [{"status": "paused", "cap": 9999}, {"status": "live", "cap": 0}], ids=str
)
def test_a_rule_stops_and_starts_again_by_the_status_or_cap_in_its_file(
    start_server: Any, tmp_path: Path, stopped: dict[str, Any]
) -> None:
    file = tmp_path / "rules" / "welcome.yaml"
    file.parent.mkdir()
    file.write_text(RULE.format(status="live", cap=9999))
    server = start_server(rules=file.parent)
    numbers = itertools.count()
    assert checks_out(server, next(numbers))

    def until(served: bool) -> None:
        begun = time.monotonic()
        while checks_out(server, next(numbers)) is not served:
            assert time.monotonic() - begun < 30, "the changed file is not in force"
            time.sleep(0.01)

    file.write_text(RULE.format(**stopped))
    until(served=False)
    assert not any(checks_out(server, next(numbers)) for _ in range(5))
    [decision] = server.get(f"/v1/decisions?source_id=u{next(numbers) - 1}")["decisions"]
    assert decision["outcomes"][0]["outcome"] == "withheld"
    file.write_text(RULE.format(status="live", cap=9999))
    until(served=True)

"""A cart that is left earns its discount once, though the server is killed while it waits."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

RULE = """
name: left-checkout
trigger: {event: checkout_started, unless: order_completed, within: 2s}
action: {type: amount_off, value: 10, code_prefix: BACK-}
guardrails: {stackable: true}
"""


def tell(server: Any, event: str, who: str) -> None:
    call = {"type": "track", "event": event, "userId": who, "messageId": f"{event} {who}"}
    server.post("/webhooks/segment", call)


def held(server: Any, who: str) -> list[str]:
    return [each["code"] for each in server.get(f"/v1/customers/{who}/discounts")["discounts"]]


def test_a_timer_that_came_due_while_the_server_was_down_is_decided_after_its_start(
    start_server: Any, tmp_path: Path
) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "left.yaml").write_text(RULE)
    server = start_server(rules=tmp_path / "rules")
    for who in ("mia", "noa"):
        tell(server, "Checkout Started", who)
    tell(server, "Order Completed", "noa")
    server.kill()
    time.sleep(2)
    server.start()
    deadline = time.monotonic() + 60
    while not held(server, "mia"):
        assert time.monotonic() < deadline, "nothing came of the cart that was left"
        time.sleep(0.05)
    server.kill()
    server.start()
    time.sleep(1.5)
    [code] = held(server, "mia")
    assert code.startswith("BACK-")
    assert held(server, "noa") == []

"""Ten campaigns of docs/campaigns the whole way: a webhook comes in, and the discount is pushed, once."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path
from typing import Any

from tests.acceptance.receiver import Receiver

ROOT = Path(__file__).parents[2]
#: By rule, the event that earns it.
EARNED: dict[str, tuple[str, dict[str, Any]]] = {
    "once-per-household": (
        "Card Entered",
        {"cart_value": 40, "card_fingerprint": "c-1", "email": "a@x.test"},
    ),
    "recover-10": ("Checkout Started", {"value": 110, "currency": "EUR"}),
    "best-amount": ("Offers Opened", {"cart_value": 50, "shipping": 4.9}),
    "weekly-quiz": ("Quiz Finished", {"score": 9}),
    "ten-or-fifteen": ("Trial Ended", {"plan": "pro"}),
    "two-minutes": ("Time On Site", {"seconds": 130}),
    "exit-intent": ("Exit Intent", {"cart_value": 40, "page": "cart"}),
    "stay-with-us": ("Cancellation Started", {"plan": "pro"}),
    "first-app-session": ("App Session Started", {"platform": "ios"}),
    "early-bird": ("Booking Started", {"nights": 4, "starts_on": "2999-07-01", "cart_value": 900}),
}
#: What earns nothing more: the same card by another customer, and a second discount of the week.
WITHHELD = {"once-per-household": "another", "weekly-quiz": "weekly-quiz"}


def tell(server: Any, who: str, event: str, properties: dict[str, Any], message: str) -> None:
    call = {"type": "track", "event": event, "userId": who, "messageId": message, "properties": properties}
    server.post("/webhooks/segment", call)


def held(server: Any, who: str) -> list[str]:
    found = server.get(f"/v1/customers/{who}/discounts")["discounts"]
    return [each["metadata"]["rule"] for each in found]


def files(folder: Path) -> Path:
    """Return the rules of docs/campaigns, with carts that are left for seconds and not for hours."""
    shutil.copytree(ROOT / "docs" / "campaigns" / "rules", folder)
    groups = folder / "groups.yaml"
    text = groups.read_text(encoding="utf-8").replace("within: 1h", "within: 1s")
    groups.write_text(text.replace("within: 3h", "within: 2s").replace("control: 20", "control: 0"))
    return folder


async def test_ten_campaigns_end_in_ten_pushed_discounts(
    start_server: Any, tmp_path: Path, receiver: Receiver
) -> None:
    server = await asyncio.to_thread(start_server, rules=files(tmp_path / "campaigns"), **receiver.environ)

    def send() -> None:
        for rule, (event, properties) in EARNED.items():
            tell(server, rule, event, properties, f"{rule}-1")
        for rule, who in WITHHELD.items():
            tell(server, who, *EARNED[rule], f"{rule}-2")

    await asyncio.to_thread(send)
    deadline = time.monotonic() + 60
    while len(receiver.pushed) < len(EARNED) and time.monotonic() < deadline:  # noqa: ASYNC110 - it polls
        await asyncio.sleep(0.05)
    holding = await asyncio.to_thread(lambda: {who: held(server, who) for who in (*EARNED, "another")})
    assert holding == {**{rule: [rule] for rule in EARNED}, "another": []}
    assert len(receiver.pushed) == len(EARNED)
    assert {sum(ids.values()) for ids in receiver.pushed.values()} == {1}

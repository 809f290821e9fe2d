"""A running server takes changed files over while it answers, and refuses those that do not check."""

from __future__ import annotations

import itertools
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapter.files import contents

ROOT = Path(__file__).parents[2]
RULE = """\
name: reviewed
trigger: review_submitted
conditions: [stars >= 4]
action: {type: amount_off, value: VALUE, code_prefix: THANKS-}
"""
REVIEWS = """\
source: segment
mappings:
  - name: Reviews by mail
    subscribe: type = "track" and event = "Mail Answered"
    action: event
    fields:
      source_id: {"@path": $.userId}
      name: review_submitted
      attributes: {stars: {"@number": {"@path": $.properties.stars}}}
"""
_numbers = itertools.count(1)


class Shop:
    """A server over files of its own, and what it says of them."""

    def __init__(self, server: Any, folder: Path, log: Path) -> None:
        self.server, self.folder, self.log = server, folder, log

    def call(self, event: str) -> httpx.Response:
        """Send a review of five stars by a new customer."""
        number = next(_numbers)
        body = {"type": "track", "event": event, "messageId": f"m-{number}", "userId": f"u-{number}",
                "properties": {"stars": 5}}  # fmt: skip
        return httpx.post(f"{self.server.url}/webhooks/segment", json=body, timeout=10)

    def earned(self, event: str) -> list[float]:
        """Return what such a review earns now."""
        answer = self.call(event)
        assert answer.status_code == 200, answer.text
        discounts = [each for result in answer.json()["results"] for each in result.get("discounts", [])]
        return [discount["action"]["value"] for discount in discounts]

    def ready(self) -> httpx.Response:
        return httpx.get(f"{self.server.url}/health/ready", timeout=10)

    def logged(self) -> str:
        return self.log.read_text(encoding="utf-8")


@pytest.fixture
def shop(start_server: Callable[..., Any], tmp_path: Path) -> Shop:
    for folder in ("mappings", "rules"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "rules" / "reviewed.yaml").write_text(RULE.replace("VALUE", "5"))
    log = tmp_path / "log"
    logging = ["sh", "-c", f'exec "$0" "$@" 2>"{log}"', sys.executable, "-m", "adapter.cli.main", "serve"]
    started = start_server(
        rules=tmp_path / "rules", command=logging, ADAPTER_FILES_MAPPINGS=str(tmp_path / "mappings"),
        ADAPTER_LOG_LEVEL="info",
    )  # fmt: skip
    return Shop(started, tmp_path, log)


def eventually(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, f"{what} did not come about within 20 seconds"
        time.sleep(0.05)


@contextmanager
def traffic(shop: Shop) -> Iterator[list[int]]:
    """Send requests all the while; yields their statuses so far."""
    statuses: list[int] = []
    over = threading.Event()

    def send() -> None:
        while not over.wait(0.01):
            statuses.append(shop.call("Mail Answered").status_code)

    senders = [threading.Thread(target=send) for _ in range(3)]
    for sender in senders:
        sender.start()
    try:
        yield statuses
    finally:
        over.set()
        for sender in senders:
            sender.join()


def test_changed_files_are_in_force_without_a_request_failing(shop: Shop) -> None:
    assert shop.earned("Review Submitted") == [5]
    assert shop.earned("Mail Answered") == []
    with traffic(shop) as statuses:
        contents_new(shop.folder / "mappings" / "reviews.yaml", REVIEWS)
        eventually(lambda: shop.earned("Mail Answered") == [5], "the new mapping")
        for value in (6, 7):
            contents.replace(shop.folder / "rules" / "reviewed.yaml", RULE.replace("VALUE", str(value)))
            eventually(lambda value=value: shop.earned("Mail Answered") == [value], "the changed rule")  # type: ignore[misc]
    assert set(statuses) == {200}
    assert len(statuses) > 10
    assert "changed files are in use" in shop.logged()


def contents_new(path: Path, text: str) -> None:
    """Write a new file in steps, as an editor may: what is half written must not bring anything down."""
    path.write_text(text[: len(text) // 2], encoding="utf-8")
    time.sleep(0.5)
    path.write_text(text, encoding="utf-8")


BROKEN = [
    ("rules/reviewed.yaml", RULE.replace("trigger", "triger").replace("VALUE", "9"), "reviewed.yaml:2:1"),
    ("mappings/reviews.yaml", REVIEWS.replace("@path", "@pth"), "reviews.yaml:7:27"),
    ("mappings/model.yaml", "traits: {points: numbr}\n", "model.yaml:1:18"),
]


def test_broken_files_are_refused_and_the_old_ones_serve_on(shop: Shop) -> None:
    assert shop.ready().status_code == 200
    refusal = "the changed files have errors; still using the previous ones"
    with traffic(shop) as statuses:
        for times, (name, broken, place) in enumerate(BROKEN, 1):
            path = shop.folder / name
            right = path.read_text(encoding="utf-8") if path.exists() else None
            path.write_text(broken, encoding="utf-8")
            eventually(lambda place=place: place in shop.ready().text, f"the refusal of {name}")  # type: ignore[misc]
            assert shop.earned("Review Submitted") == [5]
            assert shop.logged().count(refusal) >= times
            assert place in shop.logged()
            if right is None:
                path.unlink()
            else:
                path.write_text(right, encoding="utf-8")
            eventually(lambda: shop.ready().status_code == 200, f"readiness after the correction of {name}")
    assert set(statuses) == {200}

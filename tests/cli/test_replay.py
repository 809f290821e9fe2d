"""`adapter replay`: a message that a mapping failed, before and after the mapping is mended."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from adapter import app
from adapter.cli.main import commands
from adapter.settings.fields import Keys, build

MAPPING = """\
source: segment
mappings:
  - name: Event from track
    subscribe: type = "track"
    action: event
    fields:
      source_id: {{"@path": "{path}"}}
      name: {{"@path": "$.event"}}
      occurred_at: {{"@path": "$.timestamp"}}
"""
MESSAGE = {"type": "track", "event": "Checkout Started", "anonymousId": "a1", "messageId": "m1",
           "timestamp": "2024-07-15T18:24:10Z"}  # fmt: skip


class Shop:
    """A store, a mapping and no rules, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.mapping = folder / "mappings" / "segment.yaml"
        self.mapping.parent.mkdir()
        (folder / "rules").mkdir()
        self.url = f"sqlite:///{folder / 'adapter.db'}"
        self.folder = folder
        self.map("$.userId")

    def map(self, path: str) -> None:
        self.mapping.write_text(MAPPING.format(path=path))

    def replay(self, *options: str) -> Result:
        folders = ["--mappings", str(self.mapping.parent), "--rules", str(self.folder / "rules")]
        return CliRunner().invoke(commands, ["replay", "--store", self.url, *folders, *options])

    def send(self) -> str:
        """Send the message as Segment would, and return its outcome."""
        return asyncio.run(self._send())

    async def _send(self) -> str:
        chosen: dict[Keys, Any] = {
            ("files", "mappings"): str(self.mapping.parent),
            ("files", "rules"): str(self.folder / "rules"),
            ("store", "url"): self.url,
        }
        composed = app.compose(build(chosen))
        transport = httpx.ASGITransport(composed.asgi)
        async with (
            composed.running(),
            httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
        ):
            answer = await client.post("/webhooks/segment", json=MESSAGE)
            return str(answer.json()["results"][0]["outcome"])


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path)
    assert made.send() == "quarantined"
    return made


def test_messages_that_still_fail_stay_and_are_reported(shop: Shop) -> None:
    for _ in range(2):
        result = shop.replay()
        assert result.exit_code == 1
        assert "segment m1:track: quarantined (" in result.stdout
        assert result.stdout.endswith("0 of 1 messages passed\n")


def test_a_corrected_mapping_replays_the_message_once(shop: Shop) -> None:
    shop.map("$.anonymousId")
    first = shop.replay()
    assert (first.exit_code, first.stdout.splitlines()[-1]) == (0, "1 of 1 messages passed")
    second = shop.replay()
    assert (second.exit_code, second.stdout) == (0, "0 of 0 messages passed\n")


def test_a_dry_run_reports_and_changes_nothing(shop: Shop) -> None:
    shop.map("$.anonymousId")
    for _ in range(2):
        assert shop.replay("--dry-run").stdout.splitlines()[-1] == "1 of 1 messages would pass"


def test_counts_of_unmapped_messages_stay_until_their_retention_ends(shop: Shop) -> None:
    shop.mapping.write_text(MAPPING.format(path="$.userId").replace('"track"', '"screen"'))
    for _ in range(2):
        result = shop.replay()
        assert (result.exit_code, result.stdout.splitlines()[-1]) == (1, "0 of 1 messages passed")
        assert "1 segment m1:track: ignored (no mapping takes this message)" in result.stdout
        assert "--drop-ignored" in result.stderr
    tried = shop.replay("--dry-run", "--drop-ignored")
    assert (tried.exit_code, tried.stdout.splitlines()[-1]) == (
        0,
        "0 of 1 messages would pass, 1 would be dropped",
    )
    dropped = shop.replay("--drop-ignored")
    assert (dropped.exit_code, dropped.stdout.splitlines()[-1]) == (0, "0 of 1 messages passed, 1 dropped")
    assert shop.replay().stdout == "0 of 0 messages passed\n"


def test_a_folder_without_mappings_of_the_source_drops_nothing(shop: Shop) -> None:
    shop.mapping.unlink()
    result = shop.replay("--drop-ignored")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (1, "0 of 1 messages passed")
    assert "there are no mappings of segment here" in result.stderr
    shop.map("$.anonymousId")
    assert shop.replay().stdout.splitlines()[-1] == "1 of 1 messages passed"


@pytest.mark.parametrize(
    ("options", "entries"),
    [(["--id", "1"], 1), (["--id", "1", "--source", "segment"], 1), (["--source", "mparticle"], 0)],
)
def test_only_the_entries_asked_for_are_sent_again(shop: Shop, options: list[str], entries: int) -> None:
    shop.map("$.anonymousId")
    result = shop.replay(*options)
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (
        0,
        f"{entries} of {entries} messages passed",
    )
    assert shop.replay().stdout.splitlines()[-1] == f"{1 - entries} of {1 - entries} messages passed"


def test_an_id_that_is_not_in_quarantine_is_reported(shop: Shop) -> None:
    result = shop.replay("--id", "77", "--dry-run")
    assert (result.exit_code, result.stderr) == (1, "adapter: there is no entry 77 in quarantine\n")


def test_programs_get_each_entry_with_its_reason(shop: Shop) -> None:
    [entry] = json.loads(shop.replay("--json").stdout)
    assert (entry["source"], entry["outcome"]) == ("segment", "quarantined")
    assert entry["was"] == entry["reason"]
    assert (entry["key"], entry["document"]) == ("m1:track", MESSAGE)


def test_broken_files_are_reported_before_anything_is_replayed(shop: Shop) -> None:
    shop.mapping.write_text("source: segment\nmapings: []\n")
    result = shop.replay()
    assert result.exit_code == 1
    assert "segment.yaml:2:1: " in result.stderr

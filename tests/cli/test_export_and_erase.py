"""`adapter export` and `adapter erase`."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from adapter.cli import erase as command
from adapter.cli.main import commands
from adapter.model.customers import Customer
from adapter.model.erasures import Receipt
from adapter.store.engines import open_store
from adapter.store.values import Changes, CustomerRecord, LoadRequest

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Shop:
    """A store in which ann is a customer, and no files."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder / 'adapter.db'}"
        self.folders = [f"--{name}={folder / name}" for name in ("mappings", "rules")]
        for name in ("mappings", "rules"):
            (folder / name).mkdir()
        asyncio.run(self._fill())

    def run(self, command: str, *options: str, answer: str = "") -> Result:
        folders = self.folders if command == "erase" else []
        arguments = [command, "ann", "--store", self.url, *folders, *options]
        return CliRunner().invoke(commands, arguments, input=answer)

    async def _fill(self) -> None:
        store = open_store(self.url)
        await store.open()

        async def script(transaction: Any) -> None:
            await transaction.load(LoadRequest(), NOW)
            customers = [CustomerRecord(Customer("ann", email="ann@x.test"))]
            await transaction.save(Changes(NOW, {}, customers, {}, [], [], [], [], {}, [], [], []))

        await store.transact(script)
        await store.close()


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_all_that_is_held_is_written(shop: Shop, tmp_path: Path) -> None:
    told = shop.run("export")
    assert (told.exit_code, json.loads(told.stdout)["customer"]["email"]) == (0, "ann@x.test")
    file = tmp_path / "ann.json"
    assert shop.run("export", "--output", str(file)).stdout == ""
    assert file.read_text() == told.stdout
    assert file.stat().st_mode & 0o077 == 0


def test_a_file_that_others_could_read_gives_way_to_one_that_they_cannot(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "ann.json"
    file.write_text("old")
    file.chmod(0o644)
    shop.run("export", "--output", str(file))
    assert json.loads(file.read_text())["customer"]["email"] == "ann@x.test"
    assert file.stat().st_mode & 0o077 == 0
    assert [other.name for other in tmp_path.glob("ann.json*")] == ["ann.json"]


def test_an_unwritable_file_is_reported(shop: Shop, tmp_path: Path) -> None:
    result = shop.run("export", "--output", str(tmp_path / "none" / "ann.json"))
    assert (result.exit_code, "cannot write" in result.stderr) == (1, True)


def test_the_erased_are_gone_and_the_receipt_says_so(shop: Shop) -> None:
    result = shop.run("erase", "--yes")
    assert result.exit_code == 0, result.output
    assert ": 1 customer\n" in result.stdout
    left = json.loads(shop.run("export").stdout)
    assert (left["customer"], left["receipts"][0]["by"]) == (None, "command line")


@pytest.mark.parametrize(
    ("removed", "told"),
    [
        ({"answers": 1, "counters": 1, "deliveries": 1}, ": 1 answer, 1 counter, 1 delivery\n"),
        ({"identities": 1, "quarantined": 1}, ": 1 identity, 1 quarantined message\n"),
        ({"deliveries": 2, "identities": 3, "quarantined": 2},
         ": 2 deliveries, 3 identities, 2 quarantined messages\n"),
        ({}, ": there was nothing to remove\n"),
    ],
)  # fmt: skip
def test_removed_rows_are_counted_in_words(removed: dict[str, int], told: str) -> None:
    assert told in command.told("ann", Receipt("ab12", NOW, "command line", "", removed))


def test_no_customer_is_erased_before_the_confirmation(shop: Shop) -> None:
    assert shop.run("erase", answer="n\n").exit_code == 1
    assert json.loads(shop.run("export").stdout)["customer"] is not None
    result = shop.run("erase", "--json", answer="y\n")
    assert json.loads(result.stdout.splitlines()[-1])["removed"] == {"customers": 1}


def test_an_unknown_customer_is_reported(shop: Shop) -> None:
    shop.run("erase", "--yes")
    result = CliRunner().invoke(commands, ["export", "nobody", "--store", shop.url])
    assert (result.exit_code, result.stderr) == (1, "adapter: nothing is held under that id\n")


@pytest.mark.parametrize("id_", ["", "  ", "a\0", "a" * 513, "\udcff\udcfe"])
@pytest.mark.parametrize("command", [["erase", "--yes"], ["export"], ["explain"]])
def test_an_invalid_customer_id_is_refused(command: list[str], id_: str, shop: Shop) -> None:
    result = CliRunner().invoke(commands, [*command, "--store", shop.url, "--", id_])
    assert (result.exit_code, "source_id': the id " in result.stderr.lower()) == (2, True)


@pytest.mark.parametrize(
    "command",
    [["deliveries", "--retry"], ["deliveries", "--destination"], ["explain", "ann", "--event"]],
)
def test_a_name_that_is_not_utf_8_is_refused(command: list[str], shop: Shop) -> None:
    result = CliRunner().invoke(commands, [*command, "\udcff", "--store", shop.url])
    assert (result.exit_code, "the name is not UTF-8 text" in result.stderr) == (2, True)

"""`adapter store`: status, migrate, check and copy."""

from __future__ import annotations

import asyncio
import io
import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from adapter.cli import store as command
from adapter.cli.main import commands
from adapter.errors import Unavailable
from adapter.model.customers import Customer
from adapter.store.engines import open_store
from adapter.store.transaction_contract import Transaction
from adapter.store.values import Changes, CustomerRecord, LoadRequest

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A SQLite store with three customers."""
    url = f"sqlite:///{tmp_path / 'adapter.db'}"
    asyncio.run(_fill(url, 3))
    return url


@pytest.fixture
def postgres(new_postgres: str) -> str:
    """A new, empty database."""
    return new_postgres


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(statement)
    await connection.close()


async def _fill(url: str, customers: int) -> None:
    async def script(transaction: Transaction) -> None:
        await transaction.load(LoadRequest(), NOW)
        records = [CustomerRecord(Customer(f"c{number}")) for number in range(customers)]
        await transaction.save(Changes(NOW, {}, records, {}, [], [], [], [], {}, [], [], []))

    store = open_store(url)
    await store.open()
    await store.transact(script)
    await store.close()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(commands, ["store", *arguments])


def test_the_status_has_schema_and_counts(url: str) -> None:
    lines = run("status", "--store", url).stdout.splitlines()
    assert lines[0] == f"store   {url}"
    assert lines[1].startswith("schema  ")
    assert lines[2].split() == ["customers", "3"]


def test_the_status_reports_files_that_every_user_may_read(url: str) -> None:
    path = Path(url.removeprefix("sqlite:///"))
    path.chmod(0o644)
    assert f"chmod 600 {path}" in run("status", "--store", url).stderr


def test_the_status_hides_the_password(postgres: str) -> None:
    secret = postgres.replace("postgres@", "postgres:hush@")
    assert run("migrate", "--store", secret).exit_code == 0
    result = run("status", "--store", secret, "--json")
    assert "hush" not in result.output
    status = json.loads(result.stdout)
    assert status["url"] == postgres.replace("postgres@", "postgres:***@")
    assert status["counts"]["customers"] == 0


def test_the_status_of_a_missing_store_creates_none(tmp_path: Path) -> None:
    result = run("status", "--store", f"sqlite:///{tmp_path / 'none.db'}")
    assert "schema  0 of " in result.stdout
    assert "there is no store at" in result.stderr
    assert list(tmp_path.iterdir()) == []


async def test_the_status_of_a_store_in_use_has_no_counts(url: str) -> None:
    holder = open_store(url)
    await holder.open()
    result = await asyncio.to_thread(run, "status", "--store", url, "--json")
    await holder.close()
    status = json.loads(result.stdout)
    assert status["counts"] is None
    assert "is in use by process" in status["note"]


def test_an_unreachable_store_is_reported_in_one_sentence() -> None:
    result = run("status", "--store", "postgresql://me:hush@127.0.0.1:1/none")
    assert result.exit_code == 1
    assert result.stderr.startswith("adapter: ")
    assert result.stderr.count("\n") == 1
    assert "hush" not in result.output


def test_migrating_prints_the_migrations(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    assert run("migrate", "--store", url).stdout.startswith("schema 0 is now ")
    assert run("migrate", "--store", url).stdout.endswith(" is up to date\n")
    made = json.loads(run("migrate", "--store", url, "--json").stdout)
    assert made["before"] == made["after"] >= 1


def test_a_sound_store_is_reported(url: str) -> None:
    result = run("check", "--store", url)
    assert (result.exit_code, result.stdout) == (0, "the store is sound\n")


def test_an_unsound_store_is_reported_with_exit_status_1(url: str) -> None:
    with sqlite3.connect(url.removeprefix("sqlite:///")) as file:
        file.execute("UPDATE totals SET n = 5 WHERE name = 'events'")
    result = run("check", "--store", url)
    assert (result.exit_code, result.stdout) == (1, "the count of events is 5, not 0\n")
    found = json.loads(run("check", "--store", url, "--json").stdout)
    assert found == {"ok": False, "url": url, "wrong": ["the count of events is 5, not 0"]}


@pytest.mark.parametrize("name", ["check", "copy"])
def test_a_store_of_another_schema_is_left_alone(url: str, tmp_path: Path, name: str) -> None:
    with sqlite3.connect(url.removeprefix("sqlite:///")) as file:
        file.execute("INSERT INTO schema_version (number, name) VALUES (999, 'of tomorrow')")
    arguments = [url, f"sqlite:///{tmp_path / 'to.db'}"] if name == "copy" else ["--store", url]
    result = run(name, *arguments)
    assert result.exit_code == 1
    assert "has schema 999, newer than this program's" in result.stderr
    assert not (tmp_path / "to.db").exists()


def test_the_status_of_an_older_program_says_that_it_may_go_on(url: str) -> None:
    with sqlite3.connect(url.removeprefix("sqlite:///")) as file:
        file.execute("INSERT INTO schema_version (number, name, spares_older) VALUES (999, 'of tomorrow', 1)")
    result = run("status", "--store", url)
    assert "schema  999 of " in result.stdout
    assert "customers                   3" in result.stdout
    assert "has schema 999, newer than this program's" in result.stderr
    assert "this one may go on serving" in result.stderr
    assert json.loads(run("status", "--store", url, "--json").stdout)["schema"]["usable"]


def test_an_older_program_that_may_go_on_has_nothing_to_migrate(url: str) -> None:
    with sqlite3.connect(url.removeprefix("sqlite:///")) as file:
        file.execute("INSERT INTO schema_version (number, name, spares_older) VALUES (999, 'of tomorrow', 1)")
    assert run("migrate", "--store", url).stdout == "schema 999 is up to date\n"


def test_the_status_of_an_older_program_says_that_it_may_not_go_on(url: str) -> None:
    with sqlite3.connect(url.removeprefix("sqlite:///")) as file:
        file.execute("INSERT INTO schema_version (number, name) VALUES (999, 'of tomorrow')")
    result = run("status", "--store", url, "--json")
    assert not json.loads(result.stdout)["schema"]["usable"]
    assert "use the program that wrote it" in json.loads(result.stdout)["note"]


def test_everything_is_copied_to_postgresql_once(url: str, postgres: str) -> None:
    result = run("copy", url, postgres, "--json")
    assert json.loads(result.stdout)["rows"]["customers"] == 3
    assert json.loads(run("status", "--store", postgres, "--json").stdout)["counts"]["customers"] == 3
    again = run("copy", url, postgres)
    assert again.exit_code == 1
    assert "the target holds" in again.stderr


def test_nothing_is_copied_from_a_store_that_is_not_there(tmp_path: Path) -> None:
    result = run("copy", f"sqlite:///{tmp_path / 'none.db'}", f"sqlite:///{tmp_path / 'to.db'}")
    assert result.exit_code == 1
    assert "there is no store at" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def halved(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store into which a copy of the other was stopped once the customers were there."""
    target = f"sqlite:///{tmp_path / 'to.db'}"

    def stop(self: Any, table: str, copied: int, _: int) -> None:
        if table == "customers" and copied:
            raise Unavailable("the plug was pulled")

    with monkeypatch.context() as patched:
        patched.setattr(command.Bars, "show", stop)
        assert "the plug was pulled" in run("copy", url, target).stderr
    return target


def test_a_copy_that_was_stopped_goes_on(url: str, halved: str) -> None:
    assert run("copy", url, halved).stdout.endswith("rows copied, counts and sums are equal\n")
    assert run("check", "--store", halved).exit_code == 0


@pytest.mark.parametrize(
    "command", ["serve --port 0", "store check", "store migrate", "replay", "lift", "explain c1", "export c1"]
)
def test_a_store_with_an_unfinished_copy_is_used_by_no_command(command: str, halved: str) -> None:
    result = CliRunner().invoke(commands, [*command.split(), "--store", halved])
    assert result.exit_code == 1
    assert "holds an unfinished copy: run `adapter store copy` again with the same source" in result.stderr


@pytest.fixture
def copied(url: str, tmp_path: Path) -> str:
    """A store that was copied into another."""
    assert run("copy", url, f"sqlite:///{tmp_path / 'to.db'}").exit_code == 0
    return url


@pytest.mark.parametrize(
    "command",
    ["serve --port 0", "store check", "store migrate", "replay", "lift", "explain c1", "export c1",
     "erase c1 --yes", "deliveries --retry-all"],
)  # fmt: skip
def test_a_store_that_was_copied_is_refused_with_the_copy_and_the_way_back(command: str, copied: str) -> None:
    result = CliRunner().invoke(commands, [*command.split(), "--store", copied])
    assert result.exit_code == 1
    assert f"was copied into sqlite:///{copied.removeprefix('sqlite:///').replace('adapter', 'to')} at " in (
        result.stderr
    )
    assert "`adapter store reopen`" in result.stderr


def test_a_store_that_was_copied_is_used_again_once_it_is_reopened(copied: str) -> None:
    assert "was copied into" in run("status", "--store", copied).stderr
    assert json.loads(run("reopen", "--store", copied, "--json").stdout) == {"url": copied, "reopened": True}
    assert run("check", "--store", copied).exit_code == 0
    assert json.loads(run("reopen", "--store", copied, "--json").stdout)["reopened"] is False


def test_the_note_of_a_copy_into_postgresql_has_no_password(url: str, postgres: str) -> None:
    assert run("copy", url, postgres.replace("postgres@", "postgres:hush@")).exit_code == 0
    refused = run("check", "--store", url).stderr
    assert "postgres:***@" in refused
    assert "hush" not in refused


def test_the_status_reports_an_unfinished_copy(halved: str) -> None:
    result = run("status", "--store", halved)
    assert result.exit_code == 0
    assert "holds an unfinished copy" in result.stderr


async def test_a_backup_is_made_while_a_server_has_the_file(url: str, tmp_path: Path) -> None:
    holder, backup = open_store(url), tmp_path / "backup.db"
    await holder.open()
    result = await asyncio.to_thread(run, "backup", str(backup), "--store", url, "--json")
    await holder.close()
    size = backup.stat().st_size
    assert json.loads(result.stdout) == {"ok": True, "url": url, "path": str(backup), "bytes": size}
    status = await asyncio.to_thread(run, "status", "--store", f"sqlite:///{backup}", "--json")
    assert json.loads(status.stdout)["counts"]["customers"] == 3


@pytest.mark.parametrize(
    ("store", "why"),
    [
        ("sqlite:///none.db", "there is no store at"),
        ("postgresql://h/n", "use pg_dump, as docs/"),
    ],
)
def test_a_failed_backup_is_reported(
    store: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("backup", str(tmp_path / "backup.db"), "--store", store)
    assert result.exit_code == 1
    assert why in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_bar_shows_how_far_each_table_is() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    bars = command.Bars(shown=True, console=console)
    with bars.progress:
        bars.show("customers", 0, 4)
        bars.show("customers", 3, 4)
        bars.show("events", 9, 9)
    assert "3/4" in console.file.getvalue()  # type: ignore[attr-defined]
    assert "9/9" in console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["status", "migrate", "check", "copy", "backup"])
def test_every_command_shows_examples(name: str) -> None:
    assert f"  adapter store {name}" in run(name, "--help").output

"""`adapter import` on a store of its own: what it says, what it writes beside a file, and how it ends."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from adapter.cli import import_run
from adapter.cli.main import commands
from adapter.model.imports import ImportJob
from adapter.store.engines import open_store

ROOT = Path(__file__).parents[2]
ROWS = "source_id,name,metadata.tier\nc-1,Ada,gold\n,Bo,silver\nc-3,Cy,\n"


class Project:
    """A folder with a store, in which commands run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("mappings", "rules"):
            (folder / name).symlink_to(ROOT / name)

    def run(self, *arguments: str, given: bytes | None = None, **environment: str) -> Result:
        """Run `adapter import`."""
        return CliRunner(env=environment).invoke(commands, ["import", *arguments], input=given)

    def counts(self) -> dict[str, int]:
        """Return how much the store has."""

        async def read() -> dict[str, int]:
            store = open_store(f"sqlite:///{self.folder / 'adapter.db'}")
            await store.open()
            try:
                return await store.counts()
            finally:
                await store.close()

        return asyncio.run(read())


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ADAPTER_STORE_URL", f"sqlite:///{tmp_path / 'adapter.db'}")
    (tmp_path / "in.csv").write_text(ROWS)
    project = Project(tmp_path)
    project.counts()  # makes the store
    return project


def test_a_dry_run_shows_columns_and_first_rows_and_stores_nothing(project: Project) -> None:
    result = project.run("customers", "in.csv", "--dry-run")
    assert result.exit_code == 1
    for said in (
        "column metadata.tier -> traits.tier", '"source_id":"c-1"',
        "row 3 (line 3) is refused: source_id is empty", "3 rows: 2 would be taken, 1 refused",
    ):  # fmt: skip
        assert said in result.stdout
    assert not list(project.folder.glob("*.refused*"))
    assert project.counts()["customers"] == 0


def test_the_summary_counts_rows_and_names_the_file_of_refused_ones(project: Project) -> None:
    result = project.run("customers", "in.csv")
    assert (result.exit_code, result.stdout) == (1, "in.csv: 3 rows: 2 accepted, 1 refused\n")
    assert "the refused rows are in in.csv.refused.csv" in result.stderr
    refused = project.folder / "in.csv.refused.csv"
    assert refused.read_text("utf-8-sig").splitlines()[1] == ",Bo,silver,3,source_id is empty"
    assert refused.stat().st_mode & 0o077 == 0
    mended = refused.read_text("utf-8-sig").replace("\n,Bo", "\nc-2,Bo")
    (project.folder / "mended.csv").write_text(mended)
    assert project.run("customers", "mended.csv").exit_code == 0
    assert project.counts()["customers"] == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("customers", "missing.csv"), "there is no file missing.csv"),
        (("customers", "in.csv", "--zone", "Mars/Base"), "Mars/Base"),
        (("customers", "in.csv", "--column", "name"), "NAME=TARGET"),
        (("customers", "in.csv", "--refused", "in.csv"), "name another"),
        (("customers", "same.csv"), "both mean email"),
        (("customers", "binary"), "no column is `source_id`"),
    ],
)
def test_what_cannot_be_imported_ends_with_1_and_its_reason(
    project: Project, arguments: tuple[str, ...], said: str
) -> None:
    (project.folder / "same.csv").write_text("source_id,email,Email\nc-1,a@example.com,b@example.com\n")
    (project.folder / "binary").write_bytes(b"\xff\xfe\x00" * 40)
    result = project.run(*arguments)
    assert result.exit_code == 1
    assert said in result.stderr


def test_standard_input_and_folders_are_read(project: Project) -> None:
    result = project.run("customers", "-", given=b"source_id,name\nd-1,Di\n,Ed\n")
    assert (result.exit_code, result.stdout) == (1, "standard input: 2 rows: 1 accepted, 1 refused\n")
    assert (project.folder / "customers.refused.csv").exists()
    folder = project.folder / "archive"
    folder.mkdir()
    (folder / "b.csv").write_text("source_id\nd-2\n")
    (folder / "a.gz").write_bytes(gzip.compress(b'{"source_id":"d-3"}\n'))
    (folder / "b.csv.refused.csv").write_text("source_id,import.row\n,2\n")
    (folder / "empty.csv").touch()
    ended = json.loads(project.run("customers", "archive", "--json").stdout)
    assert [(each["file"], each["accepted"]) for each in ended] == [("archive/a.gz", 1), ("archive/b.csv", 1)]


def test_bodies_are_mapped_by_a_file_of_their_own(project: Project) -> None:
    mapping = {
        "source": "segment",
        "mappings": [
            {"name": "Past", "subscribe": 'type = "track"', "action": "event",
             "fields": {"source_id": {"@path": "$.anonymousId"}, "name": "past"}}
        ],
    }  # fmt: skip
    (project.folder / "past.yaml").write_text(json.dumps(mapping))
    (project.folder / "1.gz").write_bytes(
        gzip.compress(b'{"type":"track","event":"x","anonymousId":"a-1"}\n')
    )
    result = project.run("events", "1.gz", "--source", "segment", "--mapping", "past.yaml")
    assert result.stdout == "1.gz: 1 rows: 1 accepted, 0 refused\n"
    assert project.counts()["events"] == 1


def test_a_dry_run_of_an_evaluation_says_how_many_discounts_it_would_issue(project: Project) -> None:
    (project.folder / "rules").unlink()
    (project.folder / "rules").mkdir()
    (project.folder / "rules" / "third.yaml").write_text(
        "name: third\ntrigger: order_completed\nconditions: ['history.count(\"order_completed\") >= 2']\n"
        "action: {type: percentage_off, value: 10}\nguardrails: {stackable: true}\n"
    )
    rows = "".join(f"o{n},order_completed,c-{n % 2},2023-01-0{1 + n // 2}T00:00:00Z\n" for n in range(7))
    (project.folder / "past.csv").write_text(f"id,name,user,occurred_at\n{rows}")
    shown = project.run("events", "past.csv", "--evaluate", "--dry-run")
    assert (shown.exit_code, "the rules would issue 3 discounts" in shown.stdout) == (0, True)
    assert project.counts()["discounts"] == 0
    assert "would issue" not in project.run("events", "past.csv", "--dry-run").stdout
    assert project.run("events", "past.csv", "--evaluate").exit_code == 0
    assert project.counts()["discounts"] == 3


def test_a_dry_run_counts_stored_values_that_are_newer_than_the_file(project: Project) -> None:
    assert project.run("customers", "in.csv").exit_code == 1
    night = project.folder / "night.csv"
    night.write_text("source_id,name,metadata.tier,metadata.city\nc-1,Ada L,silver,Oslo\n")
    os.utime(night, (0, 1_600_000_000))
    said = "2 stored values are newer than the file and would be replaced: --as-of TIME keeps them"
    assert said in project.run("customers", "night.csv", "--dry-run").stdout
    dated = project.run("customers", "night.csv", "--dry-run", "--as-of", "2020-01-01T00:00:00Z")
    assert "newer" not in dated.stdout
    os.utime(night)
    assert "newer" not in project.run("customers", "night.csv", "--dry-run").stdout


def test_an_interrupted_import_goes_on_where_it_was(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.folder / "big.csv").write_text("source_id\n" + "".join(f"c-{n}\n" for n in range(500)))
    monkeypatch.setattr(import_run, "_SLICE", 100)

    @contextmanager
    def ending(_self: Any, _source: Any) -> Iterator[Any]:
        async def report(job: ImportJob) -> None:
            if job.rows_done >= 200:
                raise KeyboardInterrupt

        yield report

    with monkeypatch.context() as patch:
        patch.setattr(import_run.ImportRun, "_progress", ending)
        assert project.run("customers", "big.csv").exit_code != 0
    result = project.run("customers", "big.csv")
    assert "big.csv: goes on after row 2" in result.stderr
    assert result.stdout == "big.csv: 500 rows: 500 accepted, 0 refused\n"
    assert project.counts()["customers"] == 500


def test_a_terminal_shows_a_bar_with_the_rate_and_the_time_left(project: Project) -> None:
    shown = project.run("customers", "in.csv", FORCE_COLOR="1", COLUMNS="160").stderr
    for part in ("in.csv", "100%", "rows", "/s", ":00"):
        assert part in shown
    assert "100%" not in project.run("customers", "in.csv").stderr


def test_amounts_of_codes_are_shown_before_they_are_stored(project: Project) -> None:
    (project.folder / "codes.csv").write_text("Code,Discount Type,Value\nTEN,AMOUNT,10\n")
    result = project.run("codes", "codes.csv", "--currency", "EUR")
    assert result.exit_code == 1
    assert "TEN: 10.00 EUR off the order" in result.stderr
    assert "--yes" in result.stderr
    assert project.run("codes", "codes.csv", "--currency", "EUR", "--yes").exit_code == 0

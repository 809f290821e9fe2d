"""`adapter import`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer

from adapter.cli import import_options as given
from adapter.cli.import_run import ImportRun
from adapter.cli.settings import AsJson, Config, Mappings, Rules, Store, options, settled, stopped
from adapter.errors import AdapterError, Refused
from adapter.interpreter import tune
from adapter.services.bulk import local

EXAMPLES = """\b
Examples:
  adapter import customers customers.csv --dry-run
  adapter import customers customers.csv
  adapter import events 2024/*.gz --source segment
  adapter import events export.csv --zone Europe/Berlin
  adapter import codes codes.csv --pool spring
  adapter import codes vouchers.csv --currency EUR
  adapter import discounts issued.jsonl
  gunzip -c customers.csv.gz | adapter import customers -"""

Kind = Annotated[
    Literal["customers", "events", "codes", "discounts"],
    typer.Argument(help="What the rows are.", metavar="customers|events|codes|discounts"),
]
Files = Annotated[
    list[Path],
    typer.Argument(help="CSV, JSON lines or Parquet, gzip and zstd too; a folder, or - for standard input.",
                   metavar="FILE..."),
]  # fmt: skip


def rows(
    *,
    kind: Kind,
    files: Files,
    dry_run: given.DryRun = False,
    source: given.Source = None,
    mapping: given.MappingFile = None,
    column: given.Columns = None,
    form: given.Format = None,
    encoding: given.Encoding = None,
    delimiter: given.Delimiter = None,
    quote: given.Quote = None,
    decimal: given.Decimal = None,
    date_format: given.DateFormat = None,
    zone: given.Zone = None,
    empty: given.Empty = None,
    as_of: given.AsOf = None,
    evaluate: given.Evaluate = False,
    include_erased: given.IncludeErased = False,
    pool: given.Pool = None,
    pool_limit: given.PoolLimit = 0,
    money: given.Money = None,
    currency: given.Currency = None,
    yes: given.Yes = False,
    restart: given.Restart = False,
    refused: given.RefusedFile = None,
    store: Store = None,
    mappings: Mappings = None,
    rule_files: Rules = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Bring rows of files into the store; exit code 1 when a row was refused, or a file could not be read.

    Historical events earn nothing unless --evaluate, and nothing is pushed. Refused rows are written beside
    the file, to be mended and imported. An import that was interrupted goes on when the command is run again.
    Beside a running server that has the SQLite store, the server does the work.
    """
    settings = settled(config, options(store, mappings, rule_files))
    with _told_errors():
        wanted = given.options_of(
            form=form, encoding=encoding, delimiter=delimiter, quote=quote, decimal=decimal,
            date_format=date_format, zone=zone, source=source, columns=column, empty=empty, as_of=as_of,
            evaluate=evaluate, include_erased=include_erased, pool=pool, pool_limit=pool_limit, money=money,
            currency=currency,
        )  # fmt: skip
        paths = _all_of(files)
        _expect_apart(refused, paths)
        command = ImportRun(
            settings, kind, wanted, mapping, restart=restart, refused=refused, as_json=as_json
        )
        if kind == "codes" and not (dry_run or pool or money):
            command.confirm_amounts(paths, sure=yes)
        tune()
        bad = asyncio.run(command.previewed(paths) if dry_run else command.imported(paths))
    if bad:
        raise typer.Exit(1)


@contextmanager
def _told_errors() -> Iterator[None]:
    """Print an error of the import, or of a file that cannot be read, and end the command."""
    try:
        yield
    except AdapterError as error:
        raise stopped(error, "POST /v1/imports") from None
    except OSError as error:
        typer.echo(f"adapter: {error.filename} cannot be read: {error.strerror}", err=True)
        raise typer.Exit(1) from None


def _all_of(files: list[Path]) -> list[Path]:
    """Return the files, those of folders included, in order; raises Refused for one that is missing."""
    found: list[Path] = []
    for path in files:
        if path.is_dir():
            found += sorted(each for each in path.rglob("*") if each.is_file() and _is_content(each))
        elif str(path) == local.STANDARD_INPUT or path.exists():
            found.append(path)
        else:
            raise Refused(f"there is no file {path}")
    return found


def _is_content(path: Path) -> bool:
    """Tell whether a file of a folder has rows of its own: refused ones are imported by name, once mended."""
    return path.name[0] != "." and ".refused." not in path.name and not path.name.endswith(".refused")


def _expect_apart(refused: Path | None, files: list[Path]) -> None:
    """Raise Refused where refused rows would overwrite those of another file, or a file itself."""
    if refused is not None and len(files) > 1:
        raise Refused("--refused names the file for the rows of one file: import each by itself")
    if refused is not None and any(each.resolve() == refused.resolve() for each in files):
        raise Refused(f"--refused {refused} is the file that is imported: name another")

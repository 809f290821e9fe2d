"""Settings as a command gets them: its options win over the environment, that over the file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from adapter.errors import AdapterError, InvalidFiles, StoreInUse
from adapter.files.problems import Problem
from adapter.settings.fields import Keys
from adapter.settings.load import load, read
from adapter.settings.values import Settings

Config = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Settings; adapter.toml where there is one.")
]
Store = Annotated[
    str | None, typer.Option("--store", metavar="URL", help="The store, as in sqlite:///data/adapter.db.")
]
Mappings = Annotated[
    Path | None, typer.Option("--mappings", metavar="DIR", help="The folder of mapping files.")
]
Rules = Annotated[Path | None, typer.Option("--rules", metavar="DIR", help="The folder of rule files.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]


def options(
    store: str | None = None,
    mappings: Path | None = None,
    rules: Path | None = None,
    *,
    host: str | None = None,
    port: int | None = None,
    workers: int | None = None,
) -> dict[Keys, Any]:
    """Return the options that were given, by the setting that they override."""
    given: dict[Keys, Any] = {
        ("store", "url"): store,
        ("files", "mappings"): None if mappings is None else str(mappings),
        ("files", "rules"): None if rules is None else str(rules),
        ("server", "host"): host,
        ("server", "port"): port,
        ("server", "workers"): workers,
    }
    return {keys: value for keys, value in given.items() if value is not None}


def settled(config: Path | None, given: dict[Keys, Any]) -> Settings:
    """Return the settings and print warnings; a problem is printed and ends the command."""
    settings, problems = read(config, os.environ, given)
    tell(problems)
    if settings is None or any(problem.severity == "error" for problem in problems):
        raise typer.Exit(1)
    return settings


def reread(config: Path | None, given: dict[Keys, Any]) -> Settings:
    """Return the settings as they are now; raises InvalidFiles."""
    return load(config, os.environ, given)


def tell(problems: Sequence[Problem]) -> None:
    """Write problems to standard error, one a line."""
    for problem in problems:
        typer.echo(str(problem), err=True)


def stopped(error: AdapterError, door: str = "") -> typer.Exit:
    """Tell why a command cannot go on, and return its end.

    `door` is the call of the API that does the same, for when a server has the store.
    """
    if isinstance(error, InvalidFiles):
        tell(error.problems)
    else:
        instead = f"; or ask that server: {door}" if door and isinstance(error, StoreInUse) else ""
        typer.echo(f"adapter: {error.message}{instead}", err=True)
    return typer.Exit(1)

"""The option `--source`: the name of a registered source."""

from __future__ import annotations

from typing import Any

import typer

from adapter.files.problems import did_you_mean
from adapter.sources.registry import SOURCES


def source_option(meaning: str) -> Any:
    """Return the option for a parameter of type `str | None`."""
    return typer.Option("--source", metavar="|".join(SOURCES), callback=_known, help=meaning)


def _known(name: str | None) -> str | None:
    if name is not None and name not in SOURCES:
        raise typer.BadParameter(f"`{name}` is no source: {did_you_mean(name, SOURCES)}")
    return name
